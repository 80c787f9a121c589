"""How the two providers may answer what the engine asks: what took effect, and what came back, told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from callops.providers.receipt import NoAnswer, Receipt
from callops.providers.told import Told
from callops.providers.twilio.calls import CarrierCall
from tests.street.carrier import CALLER_SID
from tests.street.jobs import Exchange

if TYPE_CHECKING:
    from tests.street.world import World

Answers = Iterator[tuple[str, Callable[[], object]]]

LOST = Told(reason="timeout", message="no answer")
OK = Told(status=200, duration_ms=616)
GONE = Told(status=400, code=21220)
NOT_FOUND = Told(status=404, code="call_id_not_found")
BUSY = Told(status=429, code=20429)
UNFIT = Told(status=400, code="invalid_target")
LIVE = ("in-progress", "ringing")


def answers(world: World, sent: Exchange) -> Answers:
    """What may become of this request now; an act that answers nothing has only taken effect."""
    yield from MAKERS[sent.verb](world, sent)
    if world.budget.faults:
        yield "is not answered", partial(_at_a_cost, world, silence(sent))


def silence(sent: Exchange) -> object:
    """No answer, in the words the engine is told it: reading raises, everything else is told."""
    return NoAnswer(reason="timeout", duration_ms=5000) if sent.verb == "look_up" else LOST


def _redirect(world: World, sent: Exchange) -> Answers:
    """A redirect is taken while the caller's leg is up, else it is 21220 (contract Twilio 3.2, 3.5)."""
    if sent.applied:
        yield "is answered 200", lambda: OK
        return
    if world.street.status == "in-progress":
        yield "is applied", partial(_take_effect, sent, partial(world.street.redirect, sent.about[1]))
    else:
        yield "is answered 21220", lambda: GONE
    if world.budget.faults:
        yield "is answered 429", partial(_at_a_cost, world, BUSY)


def _refer(world: World, sent: Exchange) -> Answers:
    """OpenAI takes a REFER for a session that is there; whether one ever leaves is the street's secret (OpenAI 5.1)."""
    if not world.street.ai_is_up():
        yield "is answered 404", lambda: NOT_FOUND
    elif not sent.applied:
        yield "is taken", partial(_take_effect, sent, world.street.refer_leaves)
    else:
        yield "is answered 200", lambda: OK
        if world.budget.faults and world.street.refers_out:
            yield "is answered 400", partial(_refuse, world)


def _complete(world: World, sent: Exchange) -> Answers:
    (sid,) = sent.about
    if sent.applied:
        yield "is answered 200", lambda: OK
    elif world.street.status_of(sid) in LIVE:
        yield "is applied", partial(_take_effect, sent, partial(world.street.end_leg, sid))
    else:
        yield "is answered 21220", lambda: GONE


def _hang_up_ai(world: World, sent: Exchange) -> Answers:
    if sent.applied:
        yield "is answered 200", lambda: OK
    elif world.street.ai_is_up():
        yield "is applied", partial(_take_effect, sent, world.street.end_ai)
    else:
        yield "is answered 404", lambda: NOT_FOUND


def _look_up(world: World, sent: Exchange) -> Answers:
    (sid,) = sent.about
    yield "is answered", lambda: _resource(sid, world.street.status_of(sid))


MAKERS = {
    "redirect": _redirect,
    "refer": _refer,
    "complete": _complete,
    "hang_up_ai": _hang_up_ai,
    "look_up": _look_up,
}


def _take_effect(sent: Exchange, act: Callable[[], object]) -> None:
    sent.applied = True
    act()


def _at_a_cost(world: World, told: object) -> object:
    world.budget.faults -= 1
    world.excuses.add("a provider failed")
    return told


def _refuse(world: World) -> Told:
    """The REFER is refused and will never leave."""
    world.budget.faults -= 1
    world.excuses.add("a provider failed")
    world.street.refers_out -= 1
    return UNFIT


def _resource(sid: str, status: str) -> CarrierCall:
    return CarrierCall(
        sid=sid,
        parent_sid=None if sid == CALLER_SID else CALLER_SID,
        status=status,
        direction="inbound",
        from_="",
        to="",
        start_time=None,
        end_time=None,
        trunk_sid=None,
        receipt=Receipt(status=200),
    )
