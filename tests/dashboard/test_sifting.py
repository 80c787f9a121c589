"""What of the live calls the board's address asks for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from callops.calls.models import Call
from callops.core import notify
from callops.core.clock import now
from callops.core.database import in_db
from callops.dashboard.sifting import ALL, Sift, sift_of
from callops.transfers.models import Approval
from tests.dashboard.browser import Browser
from tests.dashboard.conftest import SEEING, MakeCall, make_line


def test_nothing_asked_is_everything() -> None:
    assert sift_of({}, numbers=True) == sift_of({"line": "", "stage": "", "q": " "}, numbers=True) == ALL
    assert ALL.address == ""


@pytest.mark.parametrize(
    ("sift", "shown"),
    [
        (Sift(line=7), True),
        (Sift(line=8), False),
        (Sift(stage="live"), True),
        (Sift(stage="ringing"), False),
        (Sift(part="0123"), True),
        (Sift(part="rtc_1"), True),
        (Sift(part="0124"), False),
        (Sift(part="0123", numbers=False), False),
        (Sift(part="+", numbers=False), False),
        (Sift(part="rtc_1", numbers=False), True),
        (Sift(line=7, stage="live", part="CA"), True),
    ],
)
def test_a_call_is_shown_when_all_that_was_asked_for_fits(sift: Sift, shown: bool) -> None:
    call = Call(id="01", line_id=7, state="live", from_number="+15550123", carrier_sid="CA1", ai_call_id="rtc_1")

    assert sift.lets(call) is shown


@given(st.dictionaries(st.sampled_from(["line", "stage", "q"]), st.text(max_size=60)), st.booleans())
def test_no_address_breaks_it_and_its_own_address_asks_the_same(query: dict[str, str], numbers: bool) -> None:
    sift = sift_of(query, numbers=numbers)
    again = sift_of({"line": str(sift.line or ""), "stage": sift.stage, "q": sift.part}, numbers=numbers)

    assert again == sift
    assert sift.lets(Call(id="01", state="live")) in (True, False)


def test_who_may_not_read_numbers_finds_no_call_by_a_piece_of_one() -> None:
    call = Call(id="01", state="live", from_number="sip:nora@example.com")

    for part in ("+1 555 0123", "nora", "sip:", "@", "+"):
        assert not sift_of({"q": part}, numbers=False).lets(call)
    assert sift_of({"q": "nora"}, numbers=True).lets(call)


@pytest.mark.parametrize("written", ["+1 555 0123", "555-0123", "(555) 0123", " 5550123"])
def test_a_number_is_found_however_it_is_written(written: str) -> None:
    assert sift_of({"q": written}, numbers=True).lets(Call(id="01", state="live", from_number="+15550123"))


@pytest.mark.django_db
def test_calls_that_need_somebody_are_shown_whatever_the_address_asks(desk: Client, make_call: MakeCall) -> None:
    line = make_line()
    make_call(line=line, from_number="+15550121")
    make_call(line=line, from_number="+15550122", ai_session="reconnecting")

    page = desk.get("/?stage=ringing").content.decode()

    assert "+1 555 0122" in page
    assert "+1 555 0121" not in page
    assert "1 call needs you" in page
    assert 'ws-connect="/ws/board/?stage=ringing"' in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("quiet_hub")
async def test_a_row_comes_to_a_sifted_board_when_it_fits_and_leaves_when_it_does_not(make_call: MakeCall) -> None:
    call = await in_db(make_call)(state="connecting")
    async with Browser("/ws/board/?stage=live", SEEING) as browser:
        await browser.until(lambda page: page.saw("<b>1</b> live"))
        assert browser.lists.get("board-live", []) == []

        await in_db(Call.objects.filter(pk=call.pk).update)(state="live")
        await in_db(notify.call_changed)(call.pk)
        await browser.until(lambda page: page.lists.get("board-live") == [f"row-{call.pk}"])

        await in_db(Call.objects.filter(pk=call.pk).update)(state="with_human")
        await in_db(notify.call_changed)(call.pk)
        await browser.until(lambda page: page.lists["board-live"] == [])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("quiet_hub")
async def test_the_most_urgent_call_stands_first_and_a_new_one_flashes_once(make_call: MakeCall) -> None:
    async with Browser("/ws/board/", SEEING) as browser:
        await browser.until(lambda page: page.saw("live-light"))
        alone = await in_db(make_call)(failure_stage="our_fault")
        await browser.until(lambda page: page.lists["board-needs"] == [f"row-{alone.pk}"])
        assert browser.saw('class="row new"')
        later = await in_db(make_call)(ai_session="reconnecting")
        await browser.until(lambda page: len(page.lists["board-needs"]) == 2)

        assert browser.lists["board-needs"] == [f"row-{alone.pk}", f"row-{later.pk}"]
        assert browser.saw("2 calls need you")


@pytest.mark.django_db
def test_a_wish_that_waited_too_long_does_not_hide_the_one_that_waits_now(desk: Client, make_call: MakeCall) -> None:
    call = make_call()
    for name, ago in (("a1", 600), ("a2", 10)):
        asked_at = now() - timedelta(seconds=ago)
        Approval.objects.create(id=name, call=call, uri="tel:+15550177", asked_by=name, asked_at=asked_at)

    page = desk.get("/").content.decode()

    assert "a2 wants to send the caller" in page
    assert ">Decide<" in page
