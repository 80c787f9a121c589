"""Every verb but `<Dial>`: what it does to the leg, and what follows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urljoin

from callops.simulator.twilio.documents import Document, Source
from callops.simulator.twilio.leg import Flow, Leg, Turn
from callops.simulator.twilio.twiml import Verb

LETTERS_A_SECOND = 15.0
PLAY_S = 4.0
FOREVER_S = 24 * 3600.0


async def say(leg: Leg, verb: Verb, document: Document) -> Turn:
    """Speak a text at an ordinary pace; `loop="0"` speaks until somebody interrupts."""
    leg.answer()
    leg.board.note(leg.call, "said", text=verb.text)
    await _repeat(leg, verb, max(0.5, len(verb.text) / LETTERS_A_SECOND))
    return Flow.NEXT


async def play(leg: Leg, verb: Verb, document: Document) -> Turn:
    """Play a sound of four seconds (its content is not fetched)."""
    leg.answer()
    leg.board.note(leg.call, "played", url=verb.text)
    await _repeat(leg, verb, PLAY_S)
    return Flow.NEXT


async def _repeat(leg: Leg, verb: Verb, once_s: float) -> None:
    times = verb.whole("loop", 1)
    await leg.wait_lifelike(once_s * times if times else FOREVER_S)


async def pause(leg: Leg, verb: Verb, document: Document) -> Turn:
    """Silence in carrier time; does not answer a ringing leg."""
    await leg.wait(verb.whole("length", 1))
    return Flow.NEXT


async def redirect(leg: Leg, verb: Verb, document: Document) -> Turn:
    """Go on with another document."""
    return Source(verb.text or document.url, verb.method(), purpose="redirect")


async def hang_up(leg: Leg, verb: Verb, document: Document) -> Turn:
    """End the leg; answers it first, as the real one does."""
    leg.answer()
    return Flow.HANG_UP


async def reject(leg: Leg, verb: Verb, document: Document) -> Turn:
    """Turn a ringing caller away unanswered: `busy`, or `no-answer` for `reason="rejected"`."""
    leg.reject_status = "busy" if verb.get("reason") == "busy" else "no-answer"
    return Flow.HANG_UP


async def background(leg: Leg, verb: Verb, document: Document) -> Turn:
    """`<Start>` and `<Stop>`: noted; nothing is streamed, transcribed or recorded."""
    leg.answer()
    leg.board.note(leg.call, verb.name.lower(), items=[child.name for child in verb.children])
    return Flow.NEXT


async def gather(leg: Leg, verb: Verb, document: Document) -> Turn:
    """Play what is inside, then wait for keys; with any, go on at `action` with `Digits`, else with the next verb."""
    leg.answer()
    if leg.on_gather is not None:
        leg.on_gather()
    for child in verb.children:
        if leg.keys:
            break
        await VERBS[child.name](leg, child, document)
    digits = await _digits(leg, verb)
    if not digits and not verb.flag("actionOnEmptyResult"):
        return Flow.NEXT
    url = verb.get("action") or urljoin(document.url, "")
    return Source(url, verb.method(), parameters={"Digits": digits}, purpose="gather")


async def _digits(leg: Leg, verb: Verb) -> str:
    wanted, finish, digits = verb.whole("numDigits", 128), verb.get("finishOnKey", "#"), ""
    timeout_s = verb.whole("timeout", 5) / leg.call.scenario.speed
    while len(digits) < wanted:
        key = await leg.during(_next_key(leg, timeout_s))
        if key is None or key == finish:
            break
        digits += key
    return digits


async def _next_key(leg: Leg, timeout_s: float) -> str | None:
    while not leg.keys:
        leg.key_pressed.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await leg.key_pressed.wait()
        except TimeoutError:
            return None
    return leg.keys.popleft()


VERBS: dict[str, Callable[[Leg, Verb, Document], Awaitable[Turn]]] = {
    "Say": say,
    "Play": play,
    "Pause": pause,
    "Redirect": redirect,
    "Hangup": hang_up,
    "Reject": reject,
    "Start": background,
    "Stop": background,
    "Gather": gather,
}
