"""A SIP REFER from the AI's leg: `referUrl`, and the table of `answerOnBridge` (contract Twilio 2.3)."""

from __future__ import annotations

from callops.simulator.twilio.child import Child
from callops.simulator.twilio.dial import BackToAi, DialRun, Fetch
from callops.simulator.twilio.documents import Document, Source
from callops.simulator.twilio.leg import Flow, Turn
from callops.simulator.twilio.twiml import TwimlError


class HeldAi:
    """The AI's leg of a dial, kept until the human answers."""

    def __init__(self, dial: DialRun, child: Child) -> None:
        self._dial = dial
        self._child = child

    @property
    def alive(self) -> bool:
        """Whether the AI is still there to go back to."""
        return not self._child.over

    def release(self) -> None:
        """End the AI's leg; the first `<Dial>`'s `action` may be told of it, its answer unused."""
        self._child.hang_up()
        _settle(self._dial)


async def carry_out(dial: DialRun, child: Child, fetch: Fetch) -> Turn | None:
    """Request `referUrl` and run its document; None when the caller stays with, or goes back to, the AI."""
    leg = dial.leg
    if not dial.verb.get("referUrl"):
        leg.board.alerts.sound(leg.call, 13802, "Dial: No referUrl attribute specified")
        child.referred_to = None
        return None
    leg.call.tell("transfer_asked")
    document = await _document(dial, child, fetch)
    if not dial.verb.flag("answerOnBridge"):
        child.hang_up()
        _settle(dial)
        return document or Flow.HANG_UP
    if document is None:
        _stay(dial, child)
        return None
    return await _while_held(dial, child, document)


async def _document(dial: DialRun, child: Child, fetch: Fetch) -> Document | None:
    target = child.referred_to or ""
    bracketed = target if target.startswith("<") else f"<{target}>"
    source = Source(
        dial.verb.get("referUrl"),
        dial.verb.method("referMethod"),
        parameters={"ReferTransferTarget": bracketed},
        purpose="refer",
        status="in-progress",
    )
    try:
        return await fetch(dial.leg, source)
    except TwimlError as error:
        dial.leg.board.alerts.sound(dial.leg.call, error.code, error.text, url=error.url)
        return None


async def _while_held(dial: DialRun, child: Child, document: Document) -> Turn | None:
    leg = dial.leg
    dial.referring = True
    held = leg.held = HeldAi(dial, child)
    try:
        await leg.interpret(leg, document)
    except BackToAi:
        _stay(dial, child)
        return None
    finally:
        leg.held = None
    held.release()
    return Flow.HANG_UP


def _stay(dial: DialRun, child: Child) -> None:
    dial.referring = False
    child.referred_to = None
    dial.leg.board.note(dial.leg.call, "back_to_ai")
    dial.leg.call.tell("back_to_ai")


def _settle(dial: DialRun) -> None:
    dial.referring = False
    if dial.leg.call.scenario.action_after_refer:
        dial.tell_action()
