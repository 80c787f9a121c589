"""The page of callers to be called back: whom, why, how often, and one button."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from callops.calls.models import Call, CallBack
from callops.core.clock import now
from tests.dashboard.conftest import MakeCall, make_line


def owed(call: Call, **fields: Any) -> CallBack:
    plain = {"number": call.from_number, "to_number": call.to_number, "why": "Nobody took the call."}
    times = {"opened_at": now(), "last_at": now()}
    return CallBack.objects.create(call=call, **{**plain, **times, **fields})


def text_of(desk: Client, path: str = "/callbacks/") -> str:
    response = desk.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_page_says_who_would_be_listed(desk: Client) -> None:
    assert "Nobody is waiting to be called back." in text_of(desk)


def test_a_task_shows_number_line_why_how_often_and_leads_to_the_call(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line())
    task = owed(call, times=3)

    page = text_of(desk)

    assert f'id="call-back-{task.pk}"' in page
    assert f'href="/calls/{call.pk}/"' in page
    for words in ("Northline support", "Nobody took the call.", '<td class="number" data-label="calls">3</td>'):
        assert words in page


def test_a_withheld_number_says_that_there_is_none_to_call(desk: Client, make_call: MakeCall) -> None:
    owed(make_call(from_number=""))

    assert "withheld: there is no number to call" in text_of(desk)


def test_the_newest_stands_first(desk: Client, make_call: MakeCall) -> None:
    older = owed(make_call(from_number="+15550131"), last_at=now() - timedelta(hours=1))
    newer = owed(make_call(from_number="+15550132"))

    page = text_of(desk)

    assert page.index(f"call-back-{newer.pk}") < page.index(f"call-back-{older.pk}")


def test_done_is_a_plain_form_that_works_twice(desk: Client, make_call: MakeCall) -> None:
    task = owed(make_call(line=make_line()))

    answers = [desk.post(f"/callbacks/{task.pk}/done") for _ in range(2)]

    assert [(answer.status_code, answer.headers["Location"]) for answer in answers] == [(303, "/callbacks/")] * 2
    task.refresh_from_db()
    assert task.done_by == "supervisor"
    assert task.call.events.filter(kind="operator.call_back_done").count() == 1
    page = text_of(desk)
    assert "Called back" in page
    assert "Done</th>" in page
    assert "/done" not in page


def test_who_may_only_watch_sees_the_tasks_and_no_button(client: Client, watcher: Any, make_call: MakeCall) -> None:
    task = owed(make_call())
    client.force_login(watcher)

    assert "/done" not in text_of(client)
    assert client.post(f"/callbacks/{task.pk}/done").status_code == 403
    task.refresh_from_db()
    assert task.done_at is None


def test_a_task_that_does_not_exist_is_not_found(desk: Client) -> None:
    assert desk.post("/callbacks/999/done").status_code == 404


def test_strangers_are_led_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/callbacks/").headers["Location"] == "/login/?next=/callbacks/"


@pytest.mark.parametrize("count", [0, 3, 300])
def test_the_page_takes_the_same_few_queries_for_any_number_of_tasks(
    desk: Client, make_call: MakeCall, django_assert_max_num_queries: Any, count: int
) -> None:
    line = make_line()
    for index in range(count):
        owed(make_call(line=line), number=f"+155501{index % 100:02d}", to_number=str(index))

    with django_assert_max_num_queries(11):
        assert desk.get("/callbacks/").status_code == 200


def test_the_navigation_counts_what_is_open_for_one_query_more(
    desk: Client, make_call: MakeCall, django_assert_max_num_queries: Any
) -> None:
    for index in range(4):
        owed(make_call(), to_number=f"+155501{index:02d}", done_at=now() if index == 0 else None)

    with django_assert_max_num_queries(16):
        page = text_of(desk, "/")

    assert '<b class="owed">3<span class="sr"> open</span></b>' in page
