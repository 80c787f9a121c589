"""A leg made by `<Dial>`: what every kind has in common (contract Twilio 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import uuid4

from callops.simulator.twilio.callbacks import callbacks_of
from callops.simulator.twilio.calls import Call, NotRedirectable
from callops.simulator.twilio.documents import Source
from callops.simulator.twilio.leg import Leg, LegOver
from callops.simulator.twilio.switchboard import Switchboard
from callops.simulator.twilio.twiml import Verb

EXTRA_RING_S = 5.0
"""Twilio rings this much longer than the `timeout` says (contract Twilio 2.1)."""


class Pulse:
    """Lets a dial wait until something about its legs is true."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def poke(self) -> None:
        """Something about a leg changed."""
        self._changed.set()

    async def until(self, claim: Callable[[], bool]) -> None:
        """Return as soon as the claim holds."""
        while not claim():
            self._changed.clear()
            await self._changed.wait()


class Child:
    """The far end of a `<Dial>`: rings, answers, is connected, ends; each step at most once."""

    def __init__(self, leg: Leg, call: Call, noun: Verb, pulse: Pulse, *, is_sip: bool) -> None:
        self.parent = leg
        self.board: Switchboard = leg.board
        self.call = call
        self.noun = noun
        self.is_sip = is_sip
        self.sip_call_id = f"{uuid4().hex}@0.0.0.0"
        self.sip_code = ""
        self.connected = False
        """Answered, and screened if there is a screening document."""
        self.left_dial = False
        """REST sent this leg to a document of its own: the dial has lost it (contract Twilio 3.2)."""
        self.referred_to: str | None = None
        self._pulse = pulse
        self._own: Leg | None = None
        self._callbacks = callbacks_of(leg.board, call, noun)
        call.actor = self

    @property
    def over(self) -> bool:
        """Whether the leg has ended."""
        return self.call.ended

    @property
    def was_answered(self) -> bool:
        """Whether the far end ever picked up."""
        return self.call.answered_at is not None

    def start(self, timeout_s: int) -> None:
        """Begin to ring, for this long and five seconds more."""
        self.board.open_call(self.call)
        self._callbacks.send("initiated")
        self.board.spawn(self._give_up_after(self.ring_limit_s(timeout_s)))

    def ring_limit_s(self, timeout_s: int) -> float:
        """Seconds of real time the leg may ring."""
        return timeout_s + EXTRA_RING_S

    async def _give_up_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not self.was_answered:
            self.finish("no-answer", "487")

    def ring(self) -> None:
        """The far end rings."""
        if not self.over and not self.was_answered:
            self.board.note(self.call, "ringing")
            self._callbacks.send("ringing")

    def pick_up(self, *, connected: bool = True) -> None:
        """The far end answered; a screened leg is connected only later."""
        if self.was_answered or not self.call.move("in-progress"):
            return
        self.sip_code = "200"
        self.board.note(self.call, "answered")
        self._callbacks.send("answered")
        if connected:
            self.connect()

    def connect(self) -> None:
        """The two parties may hear each other."""
        self.connected = True
        self._pulse.poke()

    def finish(self, status: str, sip_code: str = "") -> bool:
        """The leg is over with this status; False when it was already."""
        if not self.call.move(status):
            return False
        self.sip_code = sip_code or self.sip_code
        self.board.note(self.call, "ended", sip_code=self.sip_code)
        self._callbacks.send("completed", self.sip_code)
        if self._own is not None:
            self._own.interrupt(LegOver())
        self.release_far_end()
        self._pulse.poke()
        return True

    def release_far_end(self) -> None:
        """Tell whoever is at the far end that the leg is over."""

    def hang_up(self) -> None:
        """The carrier ends the leg: BYE after the answer, CANCEL before."""
        if self.was_answered:
            self.finish("completed")
        else:
            self.finish("canceled", "487")

    def end(self) -> None:
        """`Status=completed` by REST: only this leg ends."""
        self.hang_up()

    def redirect(self, source: Source) -> None:
        """REST redirects this leg: it runs the document, and the dial that made it is over for the other side."""
        if self.over or not self.was_answered:
            raise NotRedirectable
        if self._own is not None:
            self._own.redirect(source)
            return
        self.board.note(self.call, "redirected", url=source.url)
        self.left_dial = True
        own = self.own_leg()
        self.board.spawn(self._run_own(own, source))
        self._pulse.poke()

    def own_leg(self) -> Leg:
        """This leg as one that runs documents itself."""
        self._own = Leg(self.board, self.call, self.parent.interpret)
        return self._own

    async def _run_own(self, own: Leg, source: Source) -> None:
        await own.run(source)
        self.hang_up()

    def press(self, key: str) -> None:
        """A key pressed at the far end: for its own document, if it runs one."""
        if self._own is not None:
            self._own.press(key)

    def hear(self, key: str) -> None:
        """A key of the other party reaches the far end."""
