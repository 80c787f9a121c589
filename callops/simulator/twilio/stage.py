"""The Twilio half of the stage: places calls, serves REST, keeps a record of everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web

from callops.simulator.scenario import Scenario
from callops.simulator.sip import AiSide
from callops.simulator.twilio.calls import Call
from callops.simulator.twilio.config import TwilioConfig
from callops.simulator.twilio.inbound import live_inbound, open_inbound
from callops.simulator.twilio.outbound import dial
from callops.simulator.twilio.people import Caller
from callops.simulator.twilio.rest import Rest
from callops.simulator.twilio.switchboard import Switchboard
from callops.simulator.twilio.trunk import TrunkCall
from callops.simulator.twilio.update import CallUpdates

TEST_CALL = Scenario(name="dialled", conversation="silent_caller")


class TwilioStage:
    """One simulated account."""

    def __init__(self, config: TwilioConfig, http: aiohttp.ClientSession, ai: AiSide) -> None:
        self._board = Switchboard(config, http, ai)
        self._rest = Rest(self._board, CallUpdates(self._board), self._dialled)
        self.dialled_plays = TEST_CALL
        """What is played on a call that the API makes."""

    @property
    def record(self) -> list[dict[str, Any]]:
        """Every webhook, status callback, REST request, alert and step of a leg, in order (`kind`, `at`, `t`, …)."""
        return self._board.record.entries

    @property
    def calls(self) -> dict[str, Call]:
        """All legs by SID, oldest first."""
        return self._board.calls

    def routes(self) -> list[web.RouteDef]:
        """The REST endpoints, ready to be added to an application."""
        return self._rest.routes()

    def place_call(self, scenario: Scenario) -> str:
        """Let somebody call; the SID of the caller's own leg. Needs a running event loop."""
        if scenario.topology == "trunk":
            trunk = TrunkCall(self._board, scenario)
            self._watch(trunk.call)
            trunk.start()
            return trunk.call.sid
        leg = open_inbound(self._board, scenario)
        self._watch(leg.call)
        self._board.spawn(live_inbound(leg, voice_url=self._board.config.voice_url))
        return leg.call.sid

    def _dialled(self, form: Mapping[str, str]) -> Call:
        return dial(self._board, form, self.dialled_plays, self.place_call)

    def _watch(self, call: Call) -> None:
        Caller(call, lambda: self.hang_up_caller(call.sid))

    def hang_up_caller(self, sid: str) -> None:
        """The caller of this call (any of its legs may be named) hangs up; nothing when they are gone already."""
        call = self.calls[sid].caller
        if not call.ended and call.actor is not None:
            self._board.note(call, "caller_hangs_up")
            call.actor.end()

    def press(self, sid: str, digit: str) -> None:
        """The party on this leg presses a key: 0 to 9, `*` or `#`."""
        if digit not in tuple("0123456789*#"):
            raise ValueError(f"no such key: {digit!r}")
        actor = self.calls[sid].actor
        if actor is not None:
            actor.press(digit)

    def transfer_asked(self, sid: str) -> None:
        """The AI's side was asked for a transfer of this call: from now on the caller waits, but not for ever."""
        self.calls[sid].tell("transfer_asked")

    def conversation_over(self, sid: str) -> None:
        """The caller of this leg has said all they wanted, and hangs up unless they wait for somebody."""
        self.calls[sid].tell("conversation_over")

    async def close(self) -> None:
        """End all calls and open requests."""
        await self._board.close()
