"""Callers nobody could take: one open task for each, counted when they come again, closed by hand."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from callops.calls import calling_back
from callops.calls.models import Call, CallBack
from tests.rows import NOON, at, body_of, kinds, make_call, make_line

pytestmark = pytest.mark.django_db
WHY = "Nobody took the call."


def owe(call: Call, seconds: float = 0, source_id: str = "") -> None:
    calling_back.owe(call.pk, at=at(seconds), why=WHY, source_id=source_id or f"{call.pk}:{seconds}")


def test_a_task_is_opened_once_for_one_fact() -> None:
    call = make_call(make_line())

    for _ in range(3):
        owe(call, source_id="same")

    task = CallBack.objects.get()
    assert (task.number, task.to_number, task.times, task.call) == ("+15550123", "+15550100", 1, call)
    assert (task.opened_at, task.why) == (NOON, WHY)
    assert kinds(call) == ["us.call_back_opened"]
    assert body_of(call, "us.call_back_opened") == {"number": "+15550123", "why": WHY}


def test_a_caller_who_comes_again_is_counted_and_leads_to_the_latest_call() -> None:
    line = make_line()
    first, second = make_call(line), make_call(line)

    owe(first)
    owe(second, 60)

    task = CallBack.objects.get()
    assert (task.times, task.call, task.opened_at, task.last_at) == (2, second, NOON, at(60))


def test_another_line_is_another_task() -> None:
    owe(make_call())
    owe(make_call(to_number="+15550102"))

    assert CallBack.objects.count() == 2


def test_callers_who_withhold_their_number_are_not_one_caller() -> None:
    first, second = make_call(from_number=""), make_call(from_number="")

    owe(first)
    owe(second)
    owe(second, 5)

    assert [(task.call, task.times) for task in CallBack.objects.order_by("id")] == [(first, 1), (second, 2)]


def test_a_done_task_is_done_once_and_the_next_lost_call_opens_another() -> None:
    call = make_call()
    owe(call)
    task = CallBack.objects.get()

    assert calling_back.settle(task.pk, by="supervisor1", now=at(90))
    assert not calling_back.settle(task.pk, by="supervisor2", now=at(95))
    owe(call, 120)

    task.refresh_from_db()
    assert (task.done_at, task.done_by) == (at(90), "supervisor1")
    assert kinds(call).count("operator.call_back_done") == 1
    assert CallBack.objects.open().get().times == 1


def test_the_database_keeps_a_second_open_task_out() -> None:
    task = {"number": "+15550123", "to_number": "+15550100", "why": WHY, "opened_at": NOON, "last_at": NOON}
    CallBack.objects.create(call=make_call(), **task)

    with pytest.raises(IntegrityError):
        CallBack.objects.create(call=make_call(), **task)
