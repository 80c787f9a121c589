"""The timeline of a call on a page of its own: what is shown, and what one can ask the address for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.timeline import NewEvent
from callops.calls.words import Lane
from callops.dashboard import timeline_page
from callops.sideband.models import FrameBatch
from callops.sideband.packing import packed
from callops.transfers.models import TransferAttempt
from tests.reports.cases import silent_refer
from tests.reports.test_bundle import HOSTILE
from tests.rows import at, make_call

pytestmark = pytest.mark.django_db

Budget = Callable[[int], Any]


@pytest.fixture
def case() -> tuple[Call, TransferAttempt]:
    return silent_refer()


def rows_of(page: str) -> list[str]:
    return re.findall(r'<li id="event-(\d+)"', page)


def test_the_first_thing_that_went_wrong_is_pinned_and_what_was_not_seen_has_a_row(
    desk: Client, case: tuple[Call, TransferAttempt]
) -> None:
    call, _ = case
    page = desk.get(f"/calls/{call.pk}/timeline/").content.decode()

    assert "First thing that went wrong" in page
    assert page.count("REFER at the carrier: not seen by 12:00:24") == 2
    assert "OpenAI&#x27;s clock is between 0.4 s behind and 1.0 s ahead of ours." in page
    assert rows_of(page) == [str(seq) for seq in (1, 3, 2, 4, 5, 6, 7)]
    assert f'href="/calls/{call.pk}/timeline/"' in desk.get(f"/calls/{call.pk}/").content.decode()


def test_the_address_holds_lanes_kind_and_zoom(desk: Client, case: tuple[Call, TransferAttempt]) -> None:
    path = f"/calls/{case[0].pk}/timeline/"

    lanes = desk.get(f"{path}?lane=us&lane=operator").content.decode()
    kind = desk.get(f"{path}?kind=openai.refer_answered").content.decode()
    part = desk.get(f"{path}?from=18.6&until=20.6&lane=openai").content.decode()

    assert rows_of(lanes) == ["4", "5"]
    assert '<input type="checkbox" name="lane" value="us" checked>' in lanes
    assert rows_of(kind) == ["6"]
    assert rows_of(part) == ["6"]
    ways = dict(re.findall(r'<a href="(\?[^"]+)">(Earlier|Wider|Whole call|Later)</a>', part))
    assert {name: address for address, name in ways.items()} == {
        "Earlier": "?lane=openai&amp;from=16.600&amp;until=18.600",
        "Wider": "?lane=openai&amp;from=16.600&amp;until=22.600",
        "Whole call": "?lane=openai",
        "Later": "?lane=openai&amp;from=20.600&amp;until=22.600",
    }
    for strange in ("?from=nan&until=inf", "?from=-1", "?lane=x&kind=y", "?from=5&until=2"):
        assert desk.get(path + strange).status_code == 200


def test_a_fact_is_shown_with_its_headers_when_asked_for_and_never_with_a_secret(
    desk: Client, case: tuple[Call, TransferAttempt]
) -> None:
    call, _ = case

    piece = desk.get(f"/calls/{call.pk}/timeline/6", headers={"HX-Request": "true"}).content.decode()
    page = desk.get(f"/calls/{call.pk}/timeline/1").content.decode()
    leg = desk.get(f"/calls/{call.pk}/timeline/3").content.decode()

    assert piece.startswith("<details open>") and '<th scope="row">content-length</th><td>0</td>' in piece
    assert "2026-03-01T12:00:20.616Z" in piece and "2026-03-01T12:00:20.000Z" in piece
    assert "<!doctype html>" in page and "do-not-tell" not in page and "[removed]" in page
    assert call.token not in leg
    assert desk.get(f"/calls/{call.pk}/timeline/99").status_code == 404


def test_two_thousand_facts_take_as_many_queries_as_two(desk: Client, django_assert_max_num_queries: Budget) -> None:
    call = make_call()
    kinds = [Kind.CARRIER_LEG, Kind.OPENAI_TURN, Kind.OPENAI_TOOL_CALL]
    timeline.append_many(
        call.pk, [NewEvent(at=at(n / 10), kind=kinds[n % 3], lane=Lane.OPENAI, body={}) for n in range(2000)]
    )

    with django_assert_max_num_queries(25):
        page = desk.get(f"/calls/{call.pk}/timeline/").content.decode()

    assert len(rows_of(page)) == 2000


def test_of_more_rows_than_a_page_holds_the_next_are_a_link_away(desk: Client) -> None:
    call = make_call()
    kinds = [Kind.CARRIER_LEG, Kind.OPENAI_TOOL_CALL]
    timeline.append_many(
        call.pk, [NewEvent(at=at(n / 10), kind=kinds[n % 2], lane=Lane.OPENAI, body={}) for n in range(2100)]
    )

    page = desk.get(f"/calls/{call.pk}/timeline/").content.decode()
    (following,) = re.findall(r'<a href="(\?[^"]+)">The next rows', page)
    rest = desk.get(f"/calls/{call.pk}/timeline/{following}").content.decode()

    assert [*rows_of(page), *rows_of(rest)] == [str(seq) for seq in range(1, 2101)]


def test_hostile_words_are_text_on_the_timeline(desk: Client) -> None:
    call = make_call()
    for number, words in enumerate(HOSTILE):
        body = {"message": words.replace("\ud800", ""), "headers": {"server": "<b>x</b>"}}
        timeline.note(call, at=at(number), kind=Kind.OPENAI_ERROR, lane=Lane.OPENAI, body=body)

    page = desk.get(f"/calls/{call.pk}/timeline/").content.decode()
    facts = "".join(desk.get(f"/calls/{call.pk}/timeline/{seq}").content.decode() for seq in range(1, 11))

    for text in (page, facts):
        assert not re.search(r"<script>alert|<img|<svg onload|<b>x", text)
    assert len(page) < 100_000


def test_nobody_reads_it_without_signing_in(client: Client, case: tuple[Call, TransferAttempt]) -> None:
    for path in ("", "6"):
        assert client.get(f"/calls/{case[0].pk}/timeline/{path}").status_code == 302


def test_events_of_the_sideband_stand_among_the_facts_when_asked_for_and_deltas_are_one_row(desk: Client) -> None:
    call, _ = silent_refer()
    frames = [
        (round(at(21).timestamp() * 1000) + n, b'{"type":"response.text.delta","delta":"secret"}') for n in range(9)
    ]
    session = call.sessions.get()
    FrameBatch.objects.create(session=session, first=9999, count=9, received_at=at(61), packed=packed(frames))
    path = f"/calls/{call.pk}/timeline/"

    without = desk.get(path).content.decode()
    page = desk.get(f"{path}?frames=1&from=19.6&until=22.6").content.decode()

    assert "response.text.delta" not in without
    assert "response.text.delta × 9 in 0.0 s" in page and "secret" not in page
    assert "output_audio_buffer.started" in page
    assert 'href="?frames=1&amp;from=16.600&amp;until=19.600"' in page
    assert rows_of(page) == ["4", "5", "6"]


def test_of_very_many_events_the_first_are_shown_and_it_says_so(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    call, _ = silent_refer()
    monkeypatch.setattr(timeline_page, "MOST_FRAMES", 20)

    page = desk.get(f"/calls/{call.pk}/timeline/?frames=1").content.decode()

    assert page.count("tl-frame") == 20
    assert "Only the first 20 events" in page
