"""The `<Dial>` verb: makes legs, joins one of them with the caller, and says what came of it (contract Twilio 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from callops.simulator.twilio.ai_child import AiChild
from callops.simulator.twilio.calls import is_number
from callops.simulator.twilio.child import Child, Pulse
from callops.simulator.twilio.documents import Document, Source
from callops.simulator.twilio.human_child import HumanChild
from callops.simulator.twilio.leg import Flow, Leg, LegOver, Redirected, Turn
from callops.simulator.twilio.sip_uri import DialRefused, read_sip_uri
from callops.simulator.twilio.twiml import Verb

CHILD_ENDS_S = 0.17
ACTION_S = 0.32
"""After a redirect's 200: when the child ends and when `action` is requested (contract Twilio 3.2)."""

Fetch = Callable[[Leg, Source], Awaitable[Document]]


class BackToAi(Exception):
    """The human of a REFER could not be had: the caller goes back to the AI (contract Twilio 2.3)."""


class CarryOutRefer(Protocol):
    """Does what a REFER on a dial asks for; None when the caller stays with the AI."""

    async def __call__(self, dial: DialRun, child: Child, fetch: Fetch) -> Turn | None:
        """What follows the dial."""


class DialRun:
    """One `<Dial>` from its first ring to its `action`."""

    def __init__(self, leg: Leg, verb: Verb, following: Verb | None) -> None:
        self.leg = leg
        self.verb = verb
        self.referring = False
        """A REFER is being carried out: until it settles, nobody is told how this dial ended."""
        self._following = following
        self._pulse = Pulse()
        self._children: list[Child] = []
        self._winner: Child | None = None
        self._in_conference = False
        self._cut = False
        self._told = False

    async def perform(self, fetch: Fetch, refer: CarryOutRefer) -> Turn:
        """Run the verb; what follows it is its `action`, the next verb, or the document of a REFER."""
        leg = self.leg
        if not self.verb.flag("answerOnBridge"):
            leg.answer()
        heard_before, leg.listens = leg.listens, self._hear
        try:
            turn = await self._dial(fetch, refer)
        except LegOver:
            self._end_children()
            self.tell_action()
            raise
        except Redirected as redirected:
            leg.board.spawn(self._wind_up(redirected))
            raise
        finally:
            leg.listens = heard_before
        return turn or self._after()

    async def _dial(self, fetch: Fetch, refer: CarryOutRefer) -> Turn | None:
        nouns = self.verb.children or (Verb("Number", {}, self.verb.text),)
        if nouns[0].name == "Conference":
            self._in_conference = True
            self.leg.answer()
            await self.leg.during(asyncio.Event().wait())
        groups = [[noun] for noun in nouns] if self.verb.flag("sequential") else [list(nouns)]
        for group in groups:
            winner = await self._ring(group)
            if winner is not None:
                return await self._talk(winner, fetch, refer)
        return None

    async def _ring(self, nouns: list[Verb]) -> Child | None:
        """The first leg that is connected; None when all of them ended before."""
        children = [child for noun in nouns if (child := self._child(noun)) is not None]
        self._children += children
        for child in children:
            child.start(self.verb.whole("timeout", 30))
        await self.leg.during(
            self._pulse.until(lambda: any(c.connected for c in children) or all(c.over for c in children))
        )
        winner = next((child for child in children if child.connected), None)
        for child in children:
            if child is not winner:
                child.hang_up()
        return winner

    def _child(self, noun: Verb) -> Child | None:
        try:
            return self._make(noun)
        except DialRefused as refusal:
            self.leg.board.alerts.sound(self.leg.call, refusal.code, refusal.text)
            return None

    def _make(self, noun: Verb) -> Child:
        call = self.leg.call
        caller_id = self.verb.get("callerId") or call.from_
        if noun.name == "Sip":
            target = read_sip_uri(noun.text)
            if target.is_openai:
                return AiChild(self.leg, noun, target, caller_id, self._pulse)
            return HumanChild(self.leg, noun, target.uri, caller_id, self._pulse)
        if not is_number(noun.text):
            raise DialRefused(13223, f"Dial: invalid phone number format {noun.text[:40]!r}")
        if self.verb.get("callerId") and caller_id not in (call.caller.from_, call.caller.to):
            raise DialRefused(13214, f"Dial: invalid caller id {caller_id!r}")
        return HumanChild(self.leg, noun, noun.text, caller_id, self._pulse)

    async def _talk(self, winner: Child, fetch: Fetch, refer: CarryOutRefer) -> Turn | None:
        self._winner = winner
        self.leg.answer()
        if isinstance(winner, HumanChild):
            winner.call.tell("human_answered")
            if self.leg.held is not None:
                self.leg.held.release()
        ends_at = asyncio.get_running_loop().time() + self.verb.whole("timeLimit", 14400)
        while await self._until_something_happens(winner, ends_at):
            turn = await refer(self, winner, fetch)
            if turn is not None:
                return turn
        if not winner.left_dial:
            winner.hang_up()
        return None

    async def _until_something_happens(self, winner: Child, ends_at: float) -> bool:
        """True for a REFER, False when the conversation is over."""
        try:
            async with asyncio.timeout_at(ends_at):
                await self.leg.during(
                    self._pulse.until(
                        lambda: winner.over or winner.left_dial or self._cut or winner.referred_to is not None
                    )
                )
        except TimeoutError:
            return False
        return winner.referred_to is not None and not winner.over

    def _hear(self, key: str) -> None:
        if key == "*" and self.verb.flag("hangupOnStar"):
            self._cut = True
            self._pulse.poke()
        elif self._winner is not None:
            self._winner.hear(key)

    def _end_children(self) -> None:
        for child in self._children:
            if not child.left_dial:
                child.hang_up()

    async def _wind_up(self, turn: Redirected) -> None:
        """The timeline of a redirect: the child ends, then `action` is requested and its answer dropped."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(turn.at + CHILD_ENDS_S - loop.time())
        self._end_children()
        await asyncio.sleep(turn.at + ACTION_S - loop.time())
        self.tell_action()

    def tell_action(self) -> None:
        """Request `action` once, its answer unused; without one a following `<Redirect>` is requested instead."""
        if self.referring or self._told:
            return
        self._told = True
        call, tell, following = self.leg.call, self.leg.board.tell, self._following
        if url := self.verb.get("action"):
            extra = self.outcome() | {"CallStatus": "completed" if call.ended else "in-progress"}
            tell(call, url, extra, purpose="action_ignored", method=self.verb.method())
        elif following is not None and following.name == "Redirect" and not call.ended:
            tell(call, following.text, {}, purpose="redirect_ignored", method=following.method())

    def _after(self) -> Turn:
        held = self.leg.held
        if held is not None and held.alive:
            self.tell_action()
            raise BackToAi
        url = self.verb.get("action")
        if not url:
            return Flow.NEXT
        return Source(url, self.verb.method(), parameters=self.outcome(), purpose="action", status="in-progress")

    def outcome(self) -> dict[str, str]:
        """What the `action` request says beside the standard parameters (contract Twilio 2.2)."""
        if self._in_conference:
            return {"DialCallStatus": "answered"}
        child = self._winner or self._most_telling()
        if child is None:
            return {"DialCallStatus": "failed", "DialBridged": "false"}
        found = {
            "DialCallStatus": "completed" if child.was_answered else child.call.status,
            "DialCallSid": child.call.sid,
            "DialBridged": "true" if child.connected else "false",
        }
        if child.was_answered and not child.left_dial:
            found["DialCallDuration"] = str(child.call.duration_s)
        if child.is_sip:
            found["DialSipCallId"] = child.sip_call_id
            found |= {"DialSipResponseCode": child.sip_code} if child.sip_code else {}
        return found

    def _most_telling(self) -> Child | None:
        answered = [child for child in self._children if child.was_answered]
        rung = answered or self._children
        return rung[-1] if rung else None
