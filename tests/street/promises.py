"""What must hold on every walk, after every step and at its end."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import replace

from callops.calls.kinds import Kind
from callops.calls.models import Event
from callops.calls.words import Policy, State
from callops.engine import deadlines
from callops.transfers import evidence
from callops.transfers.models import Mechanism, Outcome, TransferAttempt
from callops.transfers.models import State as AttemptState
from callops.transfers.verdict import MOVERS, judge
from tests.street.legs import Dial, Over
from tests.street.world import NOTHING, World

HUMAN_SAID_NO = (Outcome.NO_ANSWER, Outcome.BUSY)
WRITERS = ("deliver", " runs ", "operator", "sideband")
"""Moves that write rows."""
PATIENCE = 400
"""Steps after which a world that still moves is said to run in a circle."""


class Broken(AssertionError):
    """A promise was broken; the message says which, and the walk that broke it."""


def keep(world: World, claim: bool, promise: str) -> None:
    """Raise `Broken` with the walk unless the claim holds."""
    if not claim:
        walk = "".join(f"\n    {move!r}," for move in world.walked)
        raise Broken(f"{promise}\n  walk:{walk}\n  caller: {world.street.doing}")


def check(world: World) -> None:
    """The promises that hold at every moment."""
    seen, doing = world.street.seen, world.street.doing
    why = doing.why if isinstance(doing, Over) else ""
    keep(world, not why.startswith("lost"), "The caller was lost.")
    keep(world, why != "goodbye" or bool(seen.purposes), "A caller was hung up on though nobody decided so.")
    dropped = why == "goodbye" and seen.purposes == {"human"} and TransferAttempt.objects.open().exists()
    keep(world, not dropped, "A human hung up, and the caller was let go though a transfer was open.")
    rescued = isinstance(doing, Dial) and not doing.child.bridged and doing.child.sid in seen.rescues
    stray = rescued and TransferAttempt.objects.open().exists()
    keep(world, not stray, "The fallback is rung for a caller who is to be moved.")
    after_bridge = _rung_after_a_bridge(world)
    keep(world, not after_bridge, f"A human was rung again after a bridge: {after_bridge}")
    if world.walked and any(words in world.walked[-1] for words in WRITERS):
        for attempt in TransferAttempt.objects.select_related("call").prefetch_related("evidence"):
            _check_attempt(world, attempt)


def _check_attempt(world: World, attempt: TransferAttempt) -> None:
    seen = world.street.seen
    if attempt.mechanism == Mechanism.REFER:
        keep(world, seen.refer_requests > 0, "A REFER is said to have worked that the carrier never reported.")
    if attempt.mechanism == Mechanism.REDIRECT:
        keep(world, seen.redirect_documents > 0, "A redirect is said to have worked whose document was never fetched.")
    if attempt.outcome == Outcome.CONNECTED:
        keep(world, seen.bridges_told > 0, "A human is said to be connected before the carrier said so.")
    facts = evidence.facts_of(attempt)
    shuffled = random.Random(len(world.walked)).sample(facts * 2, len(facts) * 2)
    verdict = judge(shuffled, refer_only=evidence.only_refer(attempt))
    judged = (verdict.mechanism, verdict.outcome, verdict.connected_at)
    stored = (attempt.mechanism, attempt.outcome, attempt.human_connected_at)
    keep(world, judged == stored, f"The verdict {stored} is not what the evidence says: {judged}.")
    keep(world, not (attempt.is_open and verdict.settled), "The evidence settles a transfer that is still open.")
    keep(world, attempt.is_open or attempt.due_at is None, "A settled transfer is looked at for ever.")
    keep(world, not attempt.is_open or attempt.due_at is not None, "An open transfer is never looked at again.")


def _rung_after_a_bridge(world: World) -> list[tuple[str, str, str]]:
    """Human dials of a transfer one of whose humans had been bridged before."""
    seen = world.street.seen
    order = [sid for _, _, sid in seen.dialled]
    talked = {attempt: order.index(sid) for attempt, _, sid in reversed(seen.bridged)}
    return [
        dialled
        for place, dialled in enumerate(seen.dialled)
        if "/" not in dialled[0] and place > talked.get(dialled[0], place)
    ]


def _sent_in_vain(attempt: TransferAttempt) -> bool:
    """Whether a redirect was claimed after the carrier's word that the caller is being moved."""
    moves = attempt.evidence.filter(kind__in=MOVERS).values_list("event__seq", flat=True)
    sent = Event.objects.filter(call=attempt.call, kind=Kind.US_REDIRECT_ASKED, body__transfer=attempt.pk)
    return bool(moves) and sent.filter(seq__gt=min(moves)).exists()


def check_end(world: World) -> None:
    """The promises that hold when everybody had their turn: the caller stays on the line, then hangs up."""
    world.grant(NOTHING)
    run_out(world)
    _check_rest(world)
    wished = "operator" in world.street.seen.purposes and "a provider failed" not in world.excuses
    keep(world, not wished or isinstance(world.street.doing, Over), "The operator's wish to end the call was lost.")
    if not isinstance(world.street.doing, Over):
        world.grant(replace(NOTHING, departures=1))
        world.do("caller hangs up")
        world.grant(NOTHING)
        run_out(world)
    keep(world, world.call.state == State.ENDED, f"The call is over, but is shown as {world.call.state}.")


def _check_rest(world: World) -> None:
    for attempt in TransferAttempt.objects.all():
        keep(world, attempt.state == AttemptState.SETTLED, "A transfer never settles.")
        keep(world, not _sent_in_vain(attempt), "A redirect was claimed though the carrier had told of the move.")
        bridged = [way for token, way, _ in world.street.seen.bridged if token == attempt.token]
        connected = attempt.outcome == Outcome.CONNECTED
        keep(world, connected == bool(bridged), f"{attempt.outcome}, but {len(bridged)} humans were bridged.")
        may_stay = attempt.policy == Policy.REFER_ONLY or world.excuses or attempt.outcome in HUMAN_SAID_NO
        keep(world, connected or bool(may_stay), f"Nothing failed, but the caller was not moved: {attempt.outcome}.")
        if bridged:
            keep(world, attempt.mechanism in bridged, f"{attempt.mechanism} is said to have done what {bridged} did.")


def run_out(world: World) -> None:
    """Everything under way ends fairly: all is delivered and answered, humans pick up, time passes."""
    for _ in range(PATIENCE):
        move = fair_move(world)
        if move is None:
            return
        world.do(move)
        check(world)
    keep(world, False, "This never comes to rest.")


def fair_move(world: World, moves: Collection[str] = ()) -> str | None:
    """What comes next when nobody is late, nothing fails and everybody is patient; None at rest."""
    moves = moves or world.moves()
    for beginning in ORDER:
        for move in moves:
            if beginning in move and not any(word in move for word in UNFAIR):
                return move
    return "time passes" if "time passes" in moves and not _is_at_rest(world) else None


ORDER = (
    *("another starts", "deliver", " runs ", " looks"),
    *("is applied", "is taken", "is answered", "sideband closes"),
    *("pause ends", "human answers", "AI answers"),
)
UNFAIR = ("answer lost", "is not answered", "429", "is answered 400")


def _is_at_rest(world: World) -> bool:
    """Nobody waits for anything but the end of a conversation."""
    doing = world.street.doing
    talks = isinstance(doing, Dial) and doing.child.bridged
    is_over = isinstance(doing, Over) and world.call.state == State.ENDED
    to_be_ended = deadlines.wished_ends(world.now + deadlines.END_AGAIN)
    return (talks or is_over) and not to_be_ended and not TransferAttempt.objects.open().exists()
