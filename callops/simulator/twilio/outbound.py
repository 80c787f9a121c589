"""A call that the API makes (`POST Calls.json`): a leg to a number of ours, at whose other end an ordinary call rings.

The contract names such legs (`Direction=outbound-api`, Twilio 3.4) and not the request; its parameters and its 201 are
Twilio's documented Calls resource [assumed here]. Between the two legs stands the telephone network, which tells
nobody that they belong together: the inbound one has an SID of its own and no parent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from callops.simulator.scenario import Scenario
from callops.simulator.twilio.calls import Call, is_number
from callops.simulator.twilio.documents import Source
from callops.simulator.twilio.errors import bad_parameter
from callops.simulator.twilio.interpreter import run_documents
from callops.simulator.twilio.leg import Leg
from callops.simulator.twilio.switchboard import Switchboard
from callops.simulator.twilio.update import read_form

LONGEST_S = 14_400
"""`TimeLimit` when the request names none."""
SETUP_S = 0.2
ANSWERS = frozenset({"ai_answered", "human_answered"})
"""What a caller hears of first when somebody is there."""

Form = Mapping[str, str]


def dial(board: Switchboard, form: Form, scenario: Scenario, place: Callable[[Scenario], str]) -> Call:
    """The new leg, queued; the number it calls rings a moment later. `RestRefused` for what Twilio does not take."""
    told = replace(scenario, from_number=_number(form, "From"), to_number=_number(form, "To"))
    source, limit = read_form({name: value for name, value in form.items() if name != "Status"}), _limit(form)
    if source is None:
        raise bad_parameter("Url or Twiml is required")
    call = board.open_call(Call(board.config.account_sid, told.from_number, told.to_number, "outbound-api", told))
    call.move("queued")
    leg = Leg(board, call, run_documents)
    call.actor = leg
    board.spawn(_play(leg, replace(source, purpose="outbound"), limit, lambda: board.calls[place(told)]))
    return call


async def _play(leg: Leg, source: Source, limit_s: float, ring: Callable[[], Call]) -> None:
    board, call = leg.board, leg.call
    await board.pause(SETUP_S)
    if call.ended:
        return
    call.move("ringing")
    far = ring()
    answered = asyncio.Event()
    far.watchers.append(lambda event: _hear(leg, far, answered, event))
    over = board.spawn(_at_limit(board, leg, far, answered, limit_s))
    await answered.wait()
    if not call.ended and not far.ended:
        leg.answer()
        await leg.run(source)
    call.move("completed" if call.answered_at else "no-answer")
    over.cancel()
    if far.actor is not None and not far.ended:
        board.note(far, "caller_hangs_up")
        far.actor.end()


def _hear(leg: Leg, far: Call, answered: asyncio.Event, event: str) -> None:
    """What befalls the far end: its answer is our answer, its end is ours."""
    if event in ANSWERS or far.answered_at is not None or far.ended:
        answered.set()
    if far.ended:
        leg.end()


async def _at_limit(board: Switchboard, leg: Leg, far: Call, answered: asyncio.Event, limit_s: float) -> None:
    await answered.wait()
    await board.pause(limit_s)
    leg.end()


def _number(form: Form, name: str) -> str:
    number = form.get(name, "")
    if not is_number(number):
        raise bad_parameter(f"{name} is not a telephone number: {number}")
    return number


def _limit(form: Form) -> float:
    text = form.get("TimeLimit", str(LONGEST_S))
    if not text.isdecimal() or not 1 <= int(text) <= LONGEST_S:
        raise bad_parameter(f"TimeLimit is invalid: {text}")
    return float(text)
