"""Carrying out a transfer, with an outside that answers as told."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.core.database import in_db
from callops.engine import moving
from callops.engine.moving import Mover
from callops.engine.outside import Outside
from callops.transfers import company, moves, steps, taking
from callops.transfers.models import Mechanism, TransferAttempt
from callops.transfers.strategies import Act
from callops.transfers.taking import Taken
from tests.engine.outside import LOST, OK, FakeOutside
from tests.rows import NOON, at, body_of, kinds, make_attempt, make_call, make_destination, make_line
from tests.transfers.test_steps import event

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def asked(**wish: Any) -> TransferAttempt:
    make_destination(uri="tel:+15550111", label="Front desk")
    return make_attempt(make_call(make_line()), **wish)


def fresh(pk: str) -> TransferAttempt:
    return TransferAttempt.objects.select_related("call").get(pk=pk)


class Desk:
    """One mover, its clock and its outside."""

    def __init__(self, outside: FakeOutside) -> None:
        self.outside = outside
        self.clock = Clock()
        self.mover = Mover(cast(Outside, outside), clock=self.clock)

    async def advance(self, attempt: TransferAttempt, seconds: float) -> TransferAttempt:
        self.clock.now = at(seconds)
        await self.mover.advance(attempt.pk)
        await self.mover.finish()
        return await in_db(fresh)(attempt.pk)


async def test_the_assistant_is_told_to_keep_company_when_a_refer_was_sent() -> None:
    attempt = await in_db(asked)()
    desk = Desk(FakeOutside())

    await desk.advance(attempt, 0)

    happened = await in_db(kinds)(attempt.call)
    assert desk.outside.names() == ["refer"]
    assert happened.index(Kind.US_REFER_ASKED) < happened.index(Kind.US_TOLD_ASSISTANT)
    told = await in_db(body_of)(attempt.call, Kind.US_TOLD_ASSISTANT)
    assert (told["about"], told["label"], told["speak"]) == ("waiting", "Front desk", True)


async def test_the_assistant_that_asked_itself_is_told_silently_and_once() -> None:
    attempt = await in_db(asked)(asked_by="assistant")
    desk = Desk(FakeOutside())

    await desk.advance(attempt, 0)
    await desk.advance(attempt, 4)

    assert desk.outside.names() == ["refer", "redirect"]
    assert (await in_db(kinds)(attempt.call)).count(Kind.US_TOLD_ASSISTANT) == 1
    assert (await in_db(body_of)(attempt.call, Kind.US_TOLD_ASSISTANT))["speak"] is False


async def test_nobody_is_told_when_no_session_is_open() -> None:
    attempt = await in_db(asked)()
    await in_db(Call.objects.update)(ai_session="reconnecting")
    desk = Desk(FakeOutside())

    await desk.advance(attempt, 0)

    assert desk.outside.names() == ["refer"]
    assert Kind.US_TOLD_ASSISTANT not in await in_db(kinds)(attempt.call)


async def lost(legs: dict[str, str]) -> tuple[Desk, TransferAttempt]:
    """A redirect whose answer was lost five seconds after it was asked for."""
    attempt = await in_db(asked)(policy="redirect_only")
    call = attempt.call
    desk = Desk(FakeOutside(redirect_answer=LOST))
    named = {"caller": call.carrier_sid, "ai": call.ai_leg_sid}
    desk.outside.legs = {str(named[who]): status for who, status in legs.items()}

    async def time_passes() -> None:
        desk.clock.now = at(5)

    desk.outside.before_redirect = time_passes
    await desk.advance(attempt, 0)
    return desk, attempt


async def test_a_lost_answer_is_asked_about_with_growing_pauses_and_nothing_is_repeated() -> None:
    desk, attempt = await lost({"caller": "in-progress", "ai": "completed"})

    looks = [5.0]
    for _ in range(5):
        due = (await in_db(fresh)(attempt.pk)).due_at
        assert due is not None
        looks.append((due - NOON).total_seconds())
        await desk.advance(attempt, looks[-1])

    now = await in_db(fresh)(attempt.pk)
    assert looks == [5, 6, 8, 12, 20, 36]
    assert desk.outside.names().count("redirect") == 1
    assert (now.state, now.outcome) == ("running", "pending")
    assert "Twilio is being asked whether it took effect." in now.because


async def test_a_doubt_that_nobody_ends_settles_as_unknown_with_a_sentence() -> None:
    desk, attempt = await lost({})
    for seconds in (6, 8, 12, 20, 36, 52):
        await desk.advance(attempt, seconds)

    now = await desk.advance(attempt, 60)

    assert (now.state, now.outcome, now.mechanism) == ("settled", "unknown", "unknown")
    assert "Twilio could not tell in 60 s whether it took effect." in now.because


async def test_an_ai_leg_that_is_still_up_lets_the_redirect_be_repeated() -> None:
    desk, attempt = await lost({"caller": "in-progress", "ai": "in-progress"})

    assert desk.outside.names().count("redirect") > 1
    assert (await in_db(fresh)(attempt.pk)).outcome == "pending"


async def test_a_caller_who_is_gone_ends_the_doubt() -> None:
    _, attempt = await lost({"caller": "completed"})

    now = await in_db(fresh)(attempt.pk)
    assert (now.state, now.outcome) == ("settled", "caller_left")


async def test_a_document_that_is_fetched_ends_the_doubt_and_a_late_one_still_counts() -> None:
    desk, attempt = await lost({})
    await desk.advance(attempt, 60)

    happened = await in_db(event)(attempt, 70)
    await in_db(moves.document_fetched)(attempt, at=at(70), event=happened, via=Mechanism.REDIRECT)

    now = await in_db(fresh)(attempt.pk)
    assert (now.state, now.mechanism) == ("settled", "redirect")


async def test_the_end_of_the_ai_leg_is_a_try_of_the_record() -> None:
    desk, attempt = await lost({"caller": "in-progress", "ai": "in-progress"})
    for seconds in (10, 20, 30):
        await desk.advance(attempt, seconds)

    row = await in_db(attempt.evidence.get)(kind="ai_leg_end_answered")

    assert row.detail["status"] == OK.status
    assert "complete" in desk.outside.names()


def counted(work: Any, *args: Any) -> int:
    """How many statements a visit of the database takes; its BEGIN and COMMIT are two."""
    with CaptureQueriesContext(connection) as asked:
        work(*args)
    return len(asked)


def test_each_step_from_the_click_to_the_redirect_costs_few_statements_and_one_visit() -> None:
    attempt = asked()

    refer = counted(taking.take, attempt.pk, NOON)
    told = counted(lambda: company.claim_waiting(attempt.pk, speak=True, now=NOON))
    answered = counted(lambda: steps.refer_answered(attempt.pk, OK, now=at(0.1)))
    redirect = counted(taking.take, attempt.pk, at(4))
    redirected = counted(taking.redirect_answered, attempt.pk, OK, at(4.1))

    now = fresh(attempt.pk)
    assert (now.redirect_tries, now.redirect_answer, now.due_at) == (1, "ok", at(6))
    assert (refer, told, answered, redirect, redirected) == (8, 6, 8, 14, 10)


def test_a_deadline_and_the_redirect_that_follows_are_durable_together_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempt = asked()
    taking.take(attempt.pk, NOON)
    before = kinds(attempt.call)

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patched:
        patched.setattr(steps, "claim_redirect", broken)
        with pytest.raises(RuntimeError, match="out of luck"):
            taking.take(attempt.pk, at(4))
    assert kinds(attempt.call) == before

    taken = taking.take(attempt.pk, at(4))

    assert taken is not None
    assert taken.errand is not None
    assert kinds(attempt.call)[len(before) :] == [Kind.CLOCK_REFER_DEADLINE, Kind.US_REDIRECT_ASKED]


def test_a_refer_whose_process_died_at_once_is_looked_at_again_at_its_deadline() -> None:
    attempt = asked()

    taking.take(attempt.pk, NOON)

    assert fresh(attempt.pk).due_at == at(4)
    assert steps.due_and_next(at(3.9)) == ([], at(4))
    assert steps.due_and_next(at(4)) == ([attempt.pk], at(4))


def test_a_trunks_refer_is_looked_into_before_its_deadline() -> None:
    make_destination(uri="tel:+15550111", label="Front desk")
    attempt = make_attempt(make_call(make_line(topology="trunk"), topology="trunk"))

    taking.take(attempt.pk, NOON)

    assert fresh(attempt.pk).due_at == at(1)


async def test_an_assistant_that_was_told_is_not_asked_about_again_at_the_redirect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempt = await in_db(asked)()
    desk = Desk(FakeOutside())
    await desk.advance(attempt, 0)
    claims: list[str] = []
    monkeypatch.setattr(company, "claim_waiting", lambda pk, **told: claims.append(pk))

    await desk.advance(attempt, 4)

    assert desk.outside.names() == ["refer", "redirect"]
    assert claims == []


async def test_bug_after_so_many_steps_at_once_one_more_was_claimed_and_never_carried_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempt, desk, claimed = await in_db(asked)(), Desk(FakeOutside()), 0

    def take(attempt_id: str, now: datetime) -> Taken:
        nonlocal claimed
        claimed += 1
        return Taken(attempt, Act.GIVE_UP, None, None)

    carry_out, carried = desk.mover._carry_out, 0

    async def counted(*told: Any, **more: Any) -> Taken | None:
        nonlocal carried
        carried += 1
        return await carry_out(*told, **more)

    monkeypatch.setattr(taking, "take", take)
    monkeypatch.setattr(desk.mover, "_carry_out", counted)
    await desk.advance(attempt, 0)

    assert claimed == carried == moving.MAX_STEPS_AT_ONCE
