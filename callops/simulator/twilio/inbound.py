"""An inbound call to a number of Programmable Voice: voice webhook, documents, the end (contract Twilio 1)."""

from __future__ import annotations

from callops.simulator.scenario import Scenario
from callops.simulator.twilio.callbacks import StatusCallbacks
from callops.simulator.twilio.calls import Call
from callops.simulator.twilio.documents import Source
from callops.simulator.twilio.interpreter import run_documents
from callops.simulator.twilio.leg import Leg
from callops.simulator.twilio.switchboard import Switchboard

CALL_ORIGIN = '{"parentCallInfoToken":"eyJhbGciOiJFUzI1NiJ9.STAGE.STAGE","identityHeaderTokens":[]}'


def open_inbound(board: Switchboard, scenario: Scenario) -> Leg:
    """A new ringing caller whose voice webhook is about to be requested."""
    call = Call(board.config.account_sid, scenario.from_number, scenario.to_number, "inbound", scenario)
    return callers_leg(board, board.open_call(call))


def callers_leg(board: Switchboard, call: Call) -> Leg:
    """The leg that plays a caller's call from now on."""
    leg = Leg(board, call, run_documents)
    call.actor = leg
    return leg


async def live_inbound(leg: Leg, *, voice_url: str) -> None:
    """Run an inbound call from its voice webhook to its end and its one status callback."""
    extra = {"CallToken": CALL_ORIGIN, "StirVerstat": "TN-Validation-Passed-A"}
    try:
        await leg.run(Source(voice_url, parameters=extra, purpose="voice"))
    finally:
        _finish(leg)


def _finish(leg: Leg) -> None:
    board, call = leg.board, leg.call
    call.move("completed" if call.answered_at else leg.reject_status or "no-answer")
    board.note(call, "ended")
    call.tell("ended")
    url = board.config.status_url or ""
    StatusCallbacks(board, call, url, "POST", frozenset({"completed"})).send("completed")
