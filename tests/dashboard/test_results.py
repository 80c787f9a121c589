"""What did the work: the number behind every bar is the number of transfers it leads to."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta
from html import unescape
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import Page, expect

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Line
from callops.calls.words import Lane
from callops.canary.models import Canary, Round
from callops.core.clock import now
from callops.dashboard import moved
from callops.people.models import Team
from callops.people.roles import Role
from callops.transfers.commands import CANARY
from callops.transfers.models import Evidence, TransferAttempt
from tests.dashboard.test_axe import WIDTHS
from tests.dashboard.test_history import client_of
from tests.dashboard.test_keys import by_keys
from tests.rows import make_destination, make_line, make_refer

pytestmark = pytest.mark.django_db


def some_transfers() -> None:
    """Two lines, both ways, every fate, over three days."""
    one, two = make_line(name="Support", number="+15550141"), make_line(name="Sales", number="+15550142")
    for number, fate in enumerate(["proven", "late", "unproven", "refused", "unproven", "unproven"]):
        at = now() - timedelta(hours=9 * number + 1)
        redirect: dict[str, Any] = {"redirect_asked_at": at + timedelta(seconds=4), "mechanism": "redirect"}
        human = {"human_connected_at": at + timedelta(seconds=7 + number), "outcome": "connected"}
        extra = {"mechanism": "refer"} if fate == "proven" else redirect
        more = {"silence_ms": 1000 * number, "model": f"m{number % 2}"}
        attempt = make_refer(one if number % 2 else two, at, fate, **{**extra, **human, **more})
        if fate != "proven":
            fetched(attempt, at + timedelta(seconds=4 + number), "redirect")


def fetched(attempt: TransferAttempt, at: datetime, via: str) -> None:
    """The carrier fetched the transfer document by the address of this way."""
    event = timeline.note(attempt.call, at=at, kind=Kind.CARRIER_DOCUMENT, lane=Lane.CARRIER, body={"via": via})
    told = {"at": at, "event": event, "witness": "carrier", "detail": {"via": via}}
    Evidence.objects.create(attempt=attempt, kind="document_fetched", **told)


def links(text: str) -> list[tuple[str, int]]:
    """Every address on the page that leads to the list, with the number written on it."""
    found = re.findall(r'<a href="(\?[^"#]*)#list">(\d+)</a>', text)
    return [(unescape(address), int(number)) for address, number in found]


@pytest.mark.parametrize("by", ["line", "mechanism", "scheme", "model", "hour"])
@pytest.mark.parametrize("days", [1, 7, 30])
def test_every_number_leads_to_just_so_many_transfers(desk: Client, by: str, days: int) -> None:
    some_transfers()

    text = desk.get(f"/transfers/?days={days}&by={by}").text

    numbers = links(text)
    assert len(numbers) > 10
    for address, number in numbers:
        context = desk.get(f"/transfers/{address}").context
        assert (context["count"], len(context["page"].rows)) == (number, number), address


def test_two_lines_of_one_name_are_two_groups_told_apart_by_their_numbers(desk: Client) -> None:
    one, two = make_line(name="Support", number="+15550141"), make_line(name="Support", number="+15550142")
    other = make_line(name="Sales", number="+15550143")
    for line, count in ((one, 3), (two, 2), (other, 1)):
        for number in range(count):
            make_refer(line, now() - timedelta(hours=number + 1), "proven")

    page = desk.get("/transfers/?by=line")

    groups = {group.name: (group.count, group.address) for group in page.context["groups"]}
    named = {"Support (+1 555 0141)": 3, "Support (+1 555 0142)": 2, "Sales": 1, "all": 6}
    assert {name: count for name, (count, _) in groups.items()} == named
    for name, (count, address) in groups.items():
        listed = desk.get(f"/transfers/{address.partition('#')[0]}")
        assert listed.context["count"] == count, name
    assert "line Support (+1 555 0141)" in desk.get("/transfers/" + groups["Support (+1 555 0141)"][1]).text
    assert {course.line for course in page.context["courses"]} == {*groups} - {"all"}
    assert [row[0] for row in csv.reader(io.StringIO(desk.get("/transfers/figures.csv?by=line").text))] == [
        "line", *("Sales",) * 2, *("Support (+1 555 0141)",) * 2, *("Support (+1 555 0142)",) * 2,
    ]  # fmt: skip
    breakers = page.text[page.text.index('id="breaker-') :]
    assert breakers.count("Support (+1 555 0141)") and breakers.count("Support (+1 555 0142)")


def test_every_bar_leads_to_its_transfers(desk: Client) -> None:
    some_transfers()
    text = desk.get("/transfers/?days=7").text

    bars = re.findall(r'<a href="(\?[^"#]*)#list" aria-label="([^"]*): ([^"]*)">', text)

    assert len(bars) >= 6
    for address, _, said in bars:
        number = sum(int(each) for each in re.findall(r"\d+(?= )", said))
        assert desk.get(f"/transfers/{unescape(address)}").context["count"] == number


def test_a_redirect_is_late_after_two_seconds_and_both_ways_stand_side_by_side(desk: Client) -> None:
    some_transfers()

    everything = desk.get("/transfers/?days=7").context["groups"][-1]

    refer, redirect = (cell.tally for cell in everything.ways)
    assert (refer.asked, refer.proven, refer.counts["late"], refer.counts["unproven"]) == (6, 1, 1, 3)
    assert (redirect.asked, redirect.proven, redirect.counts["late"]) == (5, 2, 3)
    assert (everything.silence.n, everything.silence.p50, everything.silence.p95) == (6, 2000, 5000)


@pytest.mark.parametrize(("via", "fate"), [("redirect", "proven"), ("refer", "unproven"), ("dial_action", "unproven")])
def test_a_document_fetched_by_another_ways_address_proves_no_redirect(desk: Client, via: str, fate: str) -> None:
    at = now() - timedelta(hours=1)
    asked = {"redirect_asked_at": at + timedelta(seconds=4), "document_fetched_at": at + timedelta(seconds=5)}
    fetched(make_refer(make_line(), at, "late", **asked), at + timedelta(seconds=5), via)

    (line,) = desk.get("/transfers/").context["groups"]

    assert line.ways[1].tally.counts[fate] == 1


def test_the_figures_of_the_file_are_those_of_the_page(desk: Client) -> None:
    some_transfers()

    rows = list(csv.DictReader(io.StringIO(desk.get("/transfers/figures.csv?days=7&by=line").text)))

    assert [(row["line"], row["way"], row["asked"], row["proven"]) for row in rows] == [
        ("Sales", "refer", "3", "1"),
        ("Sales", "redirect", "2", "1"),
        ("Support", "refer", "3", "0"),
        ("Support", "redirect", "3", "1"),
    ]
    assert rows[0]["share_proven"] == "0.3333"
    assert rows[0]["to_human_p50_ms"] == "7000"


def test_the_page_takes_the_same_few_queries_for_any_number_of_transfers(desk: Client) -> None:
    some_transfers()
    with CaptureQueriesContext(connection) as few:
        desk.get("/transfers/")
    some_more = make_line(name="More", number="+15550143")
    for number in range(60):
        make_refer(some_more, now() - timedelta(minutes=number))
    with CaptureQueriesContext(connection) as many:
        desk.get("/transfers/")

    assert len(many) <= len(few)


def test_the_list_pages_both_ways_by_key(desk: Client) -> None:
    line = make_line()
    for number in range(120):
        make_refer(line, now() - timedelta(minutes=number))
    newest = list(TransferAttempt.objects.order_by("-pk").values_list("pk", flat=True))

    first = desk.get("/transfers/?way=refer&fate=unproven").context["page"]
    second = desk.get(f"/transfers/{first.older}").context["page"]
    third = desk.get(f"/transfers/{second.older}").context["page"]
    back = desk.get(f"/transfers/{third.newer}").context["page"]

    shown = [[row.pk for row in page.rows] for page in (first, second, third, back)]
    known = [pk for pk in newest if pk in {key for page in shown for key in page}]
    assert shown[0] + shown[1] + shown[2] == known
    assert shown[3] == shown[1]
    assert (first.newer, third.older) == ("", "")


def test_a_canarys_transfers_are_a_series_of_their_own(desk: Client) -> None:
    some_transfers()
    line = Line.objects.get(name="Sales")
    loop = make_destination("loopback")
    canary = Canary.objects.create(line=line, destination=loop, from_number="+15550188", is_on=True)
    sang = make_refer(line, now() - timedelta(hours=1), "proven", requested_by=CANARY, mechanism="refer")
    TransferAttempt.objects.filter(pk=sang.pk).update(outcome="connected")
    ended = {"ended_at": now(), "result": "settled", "attempt": sang, "call": sang.call}
    Round.objects.create(canary=canary, asked_at=now() - timedelta(hours=1), **ended)
    told = {"result": "no_call", "ended_at": now(), "because": "Nothing rang."}
    Round.objects.create(canary=canary, asked_at=now() - timedelta(minutes=9), **told)

    page = desk.get("/transfers/")

    assert page.context["total"] == 6
    (series,) = page.context["canaries"]
    assert (series.line, series.well, len(series.rounds)) == ("Sales", 1, 2)
    assert "1 of 2 arrived" in page.text and "the test call never arrived" in page.text
    assert 'class="canary-well"' in page.text and 'class="canary-failed"' in page.text
    assert "the canary" not in desk.get("/transfers/figures.csv").text


def test_what_makes_no_sense_in_the_address_is_left_out(desk: Client) -> None:
    some_transfers()

    odd = desk.get(
        "/transfers/?days=x&by=moon&since=yesterday&until=2026-99-99T00:00Z&way=fax&fate=%00&group=%27&before=%00"
    )

    assert odd.status_code == 200
    assert odd.context["count"] == 6


def test_more_transfers_than_are_looked_at_are_said_to_be(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    some_transfers()
    monkeypatch.setattr(moved, "MOST", 4)

    page = desk.get("/transfers/")

    assert page.context["total"] == 4
    assert "Only the newest 4 transfers" in page.text


def test_how_a_breaker_stands_now_is_by_the_newest_refers_also_where_there_were_more(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = make_line()
    for number in range(10):
        make_refer(line, now() - timedelta(hours=40 + number), "proven")
    for number in range(8):
        make_refer(line, now() - timedelta(minutes=30 + number))
    monkeypatch.setattr(moved, "MOST", 8)

    (course,) = desk.get("/transfers/").context["courses"]

    assert course.changes[-1].position == "open"


def test_people_of_a_team_count_their_lines_only() -> None:
    some_transfers()
    ada = client_of("ada", Role.SUPERVISOR)
    team = Team.objects.create(name="sales")
    team.lines.set(Line.objects.filter(name="Sales"))
    team.members.add(User.objects.get(username="ada"))

    page = ada.get("/transfers/?days=7")

    assert page.context["total"] == 3
    assert "Support" not in page.text
    assert "Support" not in ada.get("/transfers/figures.csv?days=7").text


def test_steps_are_whole_and_cover_the_period() -> None:
    for span in moved.SPANS.values():
        steps = span.steps(now())
        assert steps[0] <= now() - timedelta(days=span.days) < steps[1]
        assert steps[-1] <= now() < steps[-1] + span.step
        assert {later - earlier for earlier, later in pairwise(steps)} == {span.step}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", list(WIDTHS))
def test_a_bar_is_clicked_and_its_transfers_stand_below(live_server: Any, size: str) -> None:
    some_transfers()

    def play(page: Page) -> None:
        page.goto("/transfers/?days=7")
        bar = page.locator(".chart a").first
        words = bar.get_attribute("aria-label") or ""
        number = sum(int(each) for each in re.findall(r"\d+(?= )", words.partition("UTC: ")[2]))
        bar.focus()
        page.keyboard.press("Enter")
        expect(page.locator("tr[id^=transfer-]")).to_have_count(number)
        page.get_by_role("link", name="Show all").click()
        expect(page.locator("tr[id^=transfer-]")).to_have_count(6)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    by_keys(live_server.url, play, size=size)
