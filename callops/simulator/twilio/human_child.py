"""A person's leg: rings, is answered or not, talks, hangs up, as the scenario says."""

from __future__ import annotations

import asyncio

from callops.simulator.scenario import Human
from callops.simulator.twilio.calls import Call
from callops.simulator.twilio.child import Child, Pulse
from callops.simulator.twilio.documents import Source
from callops.simulator.twilio.leg import Flow, Interruption, Leg
from callops.simulator.twilio.twiml import Verb

RING_AFTER_S = 0.4
BUSY_AFTER_S = 1.5
FAILS_AFTER_S = 0.5
PRESSES_AFTER_S = 0.8


class HumanChild(Child):
    """A leg to a person; all times are people's times, shorter by the scenario's speed."""

    def __init__(self, leg: Leg, noun: Verb, to: str, caller_id: str, pulse: Pulse) -> None:
        call = Call(leg.call.account_sid, caller_id, to, "outbound-dial", leg.call.scenario, leg.call)
        super().__init__(leg, call, noun, pulse, is_sip=noun.name == "Sip")
        caller = leg.call.caller
        caller.humans_dialled += 1
        self.human: Human = call.scenario.human if caller.humans_dialled == 1 else call.scenario.second_human

    def start(self, timeout_s: int) -> None:
        """Ring the person."""
        super().start(timeout_s)
        self.board.spawn(self._live())

    def ring_limit_s(self, timeout_s: int) -> float:
        """A person's phone rings in people's time."""
        return super().ring_limit_s(timeout_s) / self.call.scenario.speed

    async def _live(self) -> None:
        await self._for(RING_AFTER_S)
        if self.human == "fails":
            await self._for(FAILS_AFTER_S)
            self.finish("failed", "503" if self.is_sip else "404")
            return
        self.ring()
        if self.human == "busy":
            await self._for(BUSY_AFTER_S)
            self.finish("busy", "486")
        elif self.human != "no_answer":
            await self._for(self.call.scenario.human_answers_after_s)
            await self._talk()

    async def _talk(self) -> None:
        if self.over:
            return
        screen = self.noun.get("url")
        self.pick_up(connected=not screen)
        if screen and not await self._passes(Source(screen, self.noun.method(), purpose="screening")):
            self.hang_up()
            return
        if screen and not self.over:
            self.connect()
        await self._for(self.call.scenario.human_talks_s)
        if not self.left_dial:
            self.finish("completed")

    async def _passes(self, source: Source) -> bool:
        """Run the screening document on this leg; a mailbox presses no key and never passes (contract Twilio 2.2)."""
        own = self.own_leg()
        own.may_dial = False
        if self.human != "voicemail":
            own.on_gather = self._hear_question
        try:
            end = await own.interpret(own, source)
        except Interruption:
            return False
        self._own = None
        return end is Flow.EXHAUSTED and self.human != "voicemail"

    def _hear_question(self) -> None:
        self.board.spawn(self._press("2" if self.human == "declines" else "1"))

    async def _press(self, key: str) -> None:
        await self._for(PRESSES_AFTER_S)
        self.press(key)

    async def _for(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.call.scenario.speed)
