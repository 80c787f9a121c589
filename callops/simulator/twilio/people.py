"""The caller: how long they stay, and what makes them leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from callops.simulator.twilio.calls import Call

LEAVES_WHILE_RINGING_S = 0.4


class Caller:
    """Listens to what befalls a call and hangs up in their own time: people's seconds, divided by the speed.

    Only patience is real time: what the caller waits for (deadlines of the app, latencies of the carrier) is real too.
    """

    def __init__(self, call: Call, hang_up: Callable[[], None]) -> None:
        self._scenario = call.scenario
        self._hang_up = hang_up
        self._timer: asyncio.TimerHandle | None = None
        self._waits_for_human = False
        self._reacts: dict[str, Callable[[], None]] = {
            "ai_ringing": self._on_ringing,
            "ai_answered": self._on_ai,
            "ai_over": self._on_ai_over,
            "conversation_over": self._on_conversation_over,
            "transfer_asked": self._on_transfer,
            "human_answered": self._on_human,
            "back_to_ai": self._on_back,
            "ended": self._cancel,
        }
        call.watchers.append(self._hear)

    def _hear(self, event: str) -> None:
        self._reacts[event]()

    def _on_ringing(self) -> None:
        if self._scenario.caller_hangs_up_while_ringing:
            self._leave_in(LEAVES_WHILE_RINGING_S)

    def _on_ai(self) -> None:
        self._waits_for_human = False
        if self._scenario.caller_hangs_up_at_s is not None:
            self._leave_in_lifelike(self._scenario.caller_hangs_up_at_s)

    def _on_ai_over(self) -> None:
        if self._timer is None and self._scenario.caller_hangs_up_at_s is not None:
            self._leave_in_lifelike(self._scenario.caller_hangs_up_at_s)

    def _on_conversation_over(self) -> None:
        if not self._waits_for_human and self._scenario.caller_hangs_up_at_s is None:
            self._leave_in(0.0)

    def _on_transfer(self) -> None:
        if not self._waits_for_human and self._scenario.caller_hangs_up_at_s is None:
            self._waits_for_human = True
            self._leave_in(self._scenario.caller_patience_s)

    def _on_human(self) -> None:
        if self._scenario.caller_hangs_up_at_s is None:
            self._cancel()

    def _on_back(self) -> None:
        self._waits_for_human = False
        if self._scenario.caller_hangs_up_at_s is None:
            self._leave_in(self._scenario.caller_patience_s)

    def _leave_in_lifelike(self, seconds: float) -> None:
        self._leave_in(seconds / self._scenario.speed)

    def _leave_in(self, seconds: float) -> None:
        self._cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._hang_up)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
