"""What the caller, the AI, the humans and the operator may do next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from callops.calls import commands as call_commands
from callops.calls import intake
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import EndedBy, Session, State
from callops.sideband import journal
from callops.sideband.models import Turn
from callops.transfers import commands
from callops.transfers.models import TransferAttempt
from tests.rows import make_session
from tests.street.jobs import Exchange, Work
from tests.street.legs import Dial, Hold, Over, Wait

if TYPE_CHECKING:
    from tests.street.world import World

Moves = Iterator[tuple[str, Callable[[], object]]]
SIDEBAND = "sideband"
"""Who holds the sockets on the street."""


def moves(world: World) -> Moves:
    """Everything people may do now, by name."""
    doing = world.street.doing
    if world.session is not None and not world.street.ai_is_up():
        yield "sideband closes", partial(_sideband_closes, world)
    if isinstance(doing, Over):
        return
    if isinstance(doing, Dial):
        yield from _ai(world, doing) if doing.child.role == "ai" else _human(world, doing)
    if isinstance(doing, Hold) and world.now >= doing.until:
        yield "pause ends", world.street.pause_ends
    if world.budget.departures:
        yield from _departures(world)
    if world.budget.transfers or world.budget.cancels:
        yield from _wishes(world)


def _ai(world: World, dial: Dial) -> Moves:
    if not dial.child.bridged:
        yield "AI answers", partial(_ai_answers, world)
        yield "AI does not answer", partial(world.street.child_ends, "no-answer")
    elif world.street.refers_out and dial.refer_url:
        yield "REFER arrives", world.street.refer_arrives


def _human(world: World, dial: Dial) -> Moves:
    street, child = world.street, dial.child
    if child.bridged:
        yield "human hangs up", partial(_end_on_purpose, world, "human")
        return
    if child.status == "initiated":
        yield "human rings", street.human_rings
    if not _redirect_is_on_its_way(world):
        yield "human answers", street.human_answers
    yield "human is busy", partial(street.child_ends, "busy")
    yield "human does not answer", partial(street.child_ends, "no-answer")


def _departures(world: World) -> Moves:
    street, doing = world.street, world.street.doing
    yield "caller hangs up", partial(_leave, world, street.caller_hangs_up)
    if isinstance(doing, (Dial, Wait)) and doing.held is not None and not doing.held.child.is_over:
        yield "held AI leg ends", partial(_leave, world, street.held_ai_ends)
    if isinstance(doing, Dial) and doing.child.role == "ai" and doing.child.bridged:
        yield "AI leg ends", partial(_leave, world, partial(street.child_ends, "completed"))
        yield "assistant ends the call", partial(_leave, world, partial(_assistant_ends, world))
    if not world.call.end_wish:
        yield "operator hangs up", partial(_leave, world, partial(_operator_hangs_up, world))


def _wishes(world: World) -> Moves:
    is_open = TransferAttempt.objects.open().exists()
    if world.budget.transfers and not is_open and world.call.state in (State.LIVE, State.WITH_HUMAN):
        for policy in world.policies:
            yield f"operator asks {policy}", partial(_ask, world, policy)
    if is_open and world.budget.cancels:
        yield "operator cancels", partial(_cancel, world)


def _leave(world: World, act: Callable[[], object]) -> None:
    world.budget.departures -= 1
    world.excuses.add("somebody left")
    act()


def _ai_answers(world: World) -> None:
    """The leg is up, and the sideband of its session opens."""
    sid = world.street.ai_answers()
    Call.objects.filter(pk=world.call.pk).update(ai_session=Session.OPEN, ai_call_id=f"rtc_{sid[-4:]}")
    world.session = make_session(world.call, lease_owner=SIDEBAND, opened_at=world.now).pk
    Turn.objects.create(
        call=world.call, item_id=sid, position=1, speaker="assistant", text="Hello.", started_at=world.now
    )
    intake.rejudge(world.call.pk, now=world.now)


def _sideband_closes(world: World) -> None:
    """Whoever held the socket found the session gone."""
    why = "The session is gone."
    journal.closed(world.session, owner=SIDEBAND, at=world.now, why=why, kind=Kind.OPENAI_SESSION_OVER, body={})
    world.session = None


def _assistant_ends(world: World) -> None:
    Call.objects.filter(end_wish="").update(end_wish=EndedBy.ASSISTANT)
    _end_on_purpose(world, "assistant")


def _end_on_purpose(world: World, who: str) -> None:
    world.street.seen.purposes.add(who)
    world.street.child_ends("completed")


def _operator_hangs_up(world: World) -> None:
    world.street.seen.purposes.add("operator")
    call_commands.hang_up(call=world.call, asked_by="supervisor1", now=world.now)


def _ask(world: World, policy: str) -> None:
    world.budget.transfers -= 1
    call = world.call
    target = call.line.fallback
    commands.request_transfer(call=call, destination=target, asked_by="supervisor1", now=world.now, policy=policy)


def _cancel(world: World) -> None:
    world.budget.cancels -= 1
    world.excuses.add("it was cancelled")
    commands.cancel(attempt=TransferAttempt.objects.open().get(), asked_by="supervisor1", now=world.now)


def _redirect_is_on_its_way(world: World) -> bool:
    """A redirect is about to be claimed, or was and has not reached the carrier."""
    waiting = [seam.what for _, seam in world.seams()]
    claimed = any(isinstance(what, Work) and what.name == "claim_redirect" for what in waiting)
    sent = any(isinstance(what, Exchange) and what.verb == "redirect" and not what.applied for what in waiting)
    return claimed or sent
