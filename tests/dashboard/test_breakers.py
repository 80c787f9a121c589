"""The breaker on the pages: why the redirect goes first, how the REFERs do, and who changed it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from callops.calls.models import Line
from callops.core.clock import now
from callops.dashboard import phrases
from callops.transfers.breaker import Decision, Position
from callops.transfers.models import BreakerAct, LineBreaker
from callops.transfers.switching import force
from tests.dashboard.conftest import MakeCall, make_line
from tests.rows import make_refer

SILENT = "REFER has been silent for 7 of 7"


def sick_line(*, minutes_ago: float = 1, **fields: Any) -> Line:
    line = make_line(**fields)
    for index in range(7):
        make_refer(line, now() - timedelta(minutes=minutes_ago, seconds=index))
    return line


def post(client: Client, line: Line, **form: str) -> Any:
    return client.post(f"/transfers/lines/{line.pk}/breaker", form)


PLANS = [
    (Position.CLOSED, "OpenAI is asked for a REFER; the carrier then rings the human."),
    (Position.OPEN, f"{SILENT}: the redirect goes first. The carrier is told to move the caller at once"),
    (Position.HALF_OPEN, f"{SILENT}; this one is a probe: REFER first. OpenAI is asked for a REFER;"),
]


@pytest.mark.parametrize(("position", "words"), PLANS)
def test_the_plan_says_what_goes_first_and_why(position: Position, words: str) -> None:
    decision = Decision(position=position, because=SILENT)

    plan = phrases.plan("refer_then_redirect", "twiml", 4.0, breaker=decision)

    assert plan.startswith(words)
    assert ("the caller is redirected" in plan) == (position != Position.OPEN)


@pytest.mark.parametrize("position", list(Position))
def test_every_position_has_a_word_and_a_shape_of_its_own(position: Position) -> None:
    chips = phrases.BREAKER_CHIPS

    assert chips[position].word
    assert len({chip.shape for chip in chips.values()}) == len(chips)


def test_the_transfer_form_says_why_the_redirect_goes_first(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=sick_line(), carrier_sid="CA01")

    assert f"{SILENT}: the redirect goes first." in desk.get(f"/calls/{call.pk}/").content.decode()


def test_the_transfer_form_says_that_this_one_is_a_probe(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=sick_line(minutes_ago=11), carrier_sid="CA01")

    assert f"{SILENT}; this one is a probe: REFER first." in desk.get(f"/calls/{call.pk}/").content.decode()


def test_a_call_that_would_not_ask_the_breaker_says_nothing_of_it(desk: Client, make_call: MakeCall) -> None:
    line = sick_line()
    calls = [make_call(line=line), make_call(line=line, carrier_sid="CA01", topology="trunk")]

    for call in calls:
        assert "has been silent" not in desk.get(f"/calls/{call.pk}/").content.decode()


def test_the_page_shows_where_each_breaker_stands_with_counts_and_the_interval(desk: Client) -> None:
    sick = sick_line()
    make_line(number="+15550101", name="Birchwood")
    make_line(number="+15550102", name="Trunk", topology="trunk")

    response = desk.get("/transfers/")

    text = response.content.decode()
    standing = {called: each for each, called in response.context["breakers"]}
    assert set(standing) == {"Northline support", "Birchwood"}
    assert standing["Northline support"].health.unproven == 7
    assert f'id="breaker-{sick.pk}"' in text
    assert "open: redirect first" in text
    assert "closed: REFER first" in text
    assert f"{SILENT}." in text
    assert "0–36 %" in text


def test_refers_of_all_lines_are_summed_with_the_interval(desk: Client) -> None:
    sick_line()
    other = make_line(number="+15550101", name="Birchwood")
    make_refer(other, now() - timedelta(minutes=1), "proven")
    make_refer(other, now() - timedelta(minutes=1), "refused")
    make_refer(other, now(), settled_at=None)

    groups = desk.get("/transfers/").context["groups"]
    birchwood, northline, both = (group.ways[0].tally for group in groups)

    assert [group.name for group in groups] == ["Birchwood", "Northline support", "all"]
    assert (birchwood.asked, birchwood.proven, birchwood.counts["refused"], birchwood.known) == (3, 1, 1, 2)
    assert (northline.counts["unproven"], northline.share) == (7, 0)
    assert (both.asked, both.known, both.counts["unproven"]) == (10, 9, 7)
    assert both.interval.low < 1 / 9 < both.interval.high


def test_a_supervisor_forces_a_breaker_and_the_page_says_who_and_why(desk: Client) -> None:
    line = make_line()

    response = post(desk, line, force="open", why="the trunk is down")

    assert (response.status_code, response["Location"]) == (303, f"/transfers/#breaker-{line.pk}")
    text = desk.get("/transfers/").content.decode()
    assert "The breaker is forced open by supervisor (the trunk is down)." in text
    assert "forced open by supervisor: the trunk is down" in text
    post(desk, line, force="auto", why="it is up again")
    assert [act.force for act in BreakerAct.objects.all()] == ["auto", "open"]
    assert LineBreaker.objects.get(line=line).force == "auto"


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"force": "open", "why": "  "}, "Say why"),
        ({"force": "open"}, "Say why"),
        ({"why": "because"}, "Choose what the breaker should do."),
        ({"force": "sideways", "why": "because"}, "That is nothing a breaker can do."),
    ],
)
def test_a_form_that_lacks_something_says_what(desk: Client, form: dict[str, str], why: str) -> None:
    response = post(desk, make_line(), **form)

    assert response.status_code == 422
    assert why in response.content.decode()
    assert not BreakerAct.objects.exists()


def test_a_trunk_line_has_no_breaker_to_force(desk: Client) -> None:
    line = make_line(topology="trunk")

    assert post(desk, line, force="open", why="because").status_code == 404
    assert desk.post("/transfers/lines/999/breaker", {"force": "open", "why": "because"}).status_code == 404


def test_those_who_may_only_watch_see_the_breaker_and_its_history_but_no_form(client: Client, watcher: User) -> None:
    line = make_line()
    force(line=line, force="open", by="anna", why="the trunk is down", now=now())
    client.force_login(watcher)

    text = client.get("/transfers/").content.decode()

    assert "forced open by anna: the trunk is down" in text
    assert f"/transfers/lines/{line.pk}/breaker" not in text
    assert post(client, line, force="auto", why="because").status_code == 403
    assert BreakerAct.objects.count() == 1


def test_forcing_is_a_post_with_a_csrf_token(supervisor: User) -> None:
    client, line = Client(enforce_csrf_checks=True), make_line()
    client.force_login(supervisor)

    assert client.get(f"/transfers/lines/{line.pk}/breaker").status_code == 405
    assert post(client, line, force="open", why="because").status_code == 403


def test_a_reason_is_never_markup(desk: Client) -> None:
    post(desk, make_line(), force="open", why="<script>alert(1)</script>")

    assert "<script>alert" not in desk.get("/transfers/").content.decode()


@pytest.mark.parametrize("lines", [1, 12])
def test_breakers_take_the_same_few_queries_for_any_number_of_lines(
    desk: Client, django_assert_max_num_queries: Any, lines: int
) -> None:
    for index in range(lines):
        line = make_line(number=f"+155501{index:02}", name=f"Line {index}")
        make_refer(line, now() - timedelta(minutes=1))
        force(line=line, force="open", by="anna", why="a test", now=now())

    with django_assert_max_num_queries(18):
        assert desk.get("/transfers/").status_code == 200
