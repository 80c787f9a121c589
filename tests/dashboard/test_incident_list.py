"""The list of incidents: every one can be reached, what is open comes first, and the address holds the whole state."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from itertools import chain
from typing import Any

import pytest
from django.test import Client

from callops.alerts.models import BY_HAND, Incident
from callops.core.clock import now

pytestmark = pytest.mark.django_db


def make(count: int, **fields: Any) -> list[Incident]:
    known = {"kind": BY_HAND, "began_at": now(), "opened_at": now(), "title": "Silence"}
    return [Incident.objects.create(**{**known, **fields}) for _ in range(count)]


def over(count: int, **fields: Any) -> list[Incident]:
    return make(count, closed_at=now(), resolved_at=now(), resolved_by="ada", **fields)


def link(text: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"#]+)', text)
    return unescape(found[1]) if found else ""


def walk(desk: Client, query: str, rel: str = "next") -> list[list[int]]:
    """The incidents of this page and of all that follow it, as a person goes from link to link."""
    pages = []
    while query:
        response = desk.get(f"/incidents/{query}")
        pages.append([each.pk for each in response.context["incidents"]])
        query = link(response.text, rel)
    return pages


def test_the_fifty_first_incident_is_on_the_next_page(desk: Client) -> None:
    made = over(120)

    pages = walk(desk, "?show=all")

    assert [len(page) for page in pages] == [50, 50, 20]
    assert list(chain(*pages)) == [each.pk for each in reversed(made)]


def test_what_is_open_comes_first_on_every_page_and_nothing_twice(desk: Client) -> None:
    still, done = make(60), over(30)
    expected = [each.pk for each in reversed(still)] + [each.pk for each in reversed(done)]

    assert list(chain(*walk(desk, "?show=all"))) == expected


def test_one_goes_back_the_same_way(desk: Client) -> None:
    make(60), over(60)
    forth = walk(desk, "?show=all")
    last = link(desk.get("/incidents/" + link(desk.get("/incidents/?show=all").text, "next")).text, "next")

    back = walk(desk, last, "prev")

    assert back == forth[::-1]


def test_filter_and_period_stay_in_the_address_when_one_pages_or_chooses_the_other(desk: Client) -> None:
    over(60)

    text = desk.get("/incidents/?period=7d&show=all").text

    assert link(text, "next").startswith("?period=7d&show=all&before=")
    assert 'href="?period=1h&amp;show=all"' in text
    assert 'href="?period=7d&amp;show=unresolved#incidents"' in text


def test_those_that_go_on_can_be_listed_alone(desk: Client) -> None:
    [goes_on], _ = make(1, resolved_at=now()), make(1, closed_at=now())

    assert walk(desk, "?show=open") == [[goes_on.pk]]


@pytest.mark.parametrize(
    "cursor", ["before=", "before=7", "before=2-1", "after=0-x", "before=0-1%00", "before=0-" + "9" * 40]
)
def test_a_cursor_that_is_none_shows_the_newest(desk: Client, cursor: str) -> None:
    [one] = make(1)

    assert walk(desk, f"?show=all&{cursor}") == [[one.pk]]


def test_an_empty_page_leads_back_to_the_newest(desk: Client) -> None:
    make(1)

    text = desk.get("/incidents/?show=all&before=0-1").text

    assert "There are no more incidents here." in text
    assert 'href="?period=24h&amp;show=all#incidents"' in text


def test_the_list_says_how_long_an_incident_is_open_or_was(desk: Client) -> None:
    began = now() - timedelta(hours=3, minutes=5)
    make(1, began_at=began, opened_at=began)
    over(1, began_at=began, opened_at=now() - timedelta(minutes=12))

    text = re.sub(r"<[^>]+>", "", desk.get("/incidents/?show=all").text)

    assert "open for 3 h" in text
    assert "was open 12 min" in text
