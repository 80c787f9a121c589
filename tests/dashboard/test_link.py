"""The page of a call with one half: what is missing is said, and a person may name the other half."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from callops.calls.models import Call, MergedCall
from callops.core import notify
from callops.core.database import in_db
from callops.sideband.linking import link_by_hand
from tests.dashboard.browser import Browser
from tests.dashboard.conftest import SEEING, MakeCall
from tests.rows import at, make_session

CARRIER = {"carrier_sid": "CA1", "ai_call_id": None, "ai_session": "none", "state": "connecting"}


def halves(make_call: MakeCall, **fields: Any) -> tuple[Call, Call]:
    """A caller without an AI call, and an AI call without a leg."""
    carrier = make_call(**{**CARRIER, "ai_dialled_at": at(0), **fields})
    ai = make_call(ai_call_id="rtc_1")
    make_session(ai)
    return carrier, ai


def test_the_board_and_the_page_say_which_half_is_missing(desk: Client, make_call: MakeCall) -> None:
    carrier, ai = halves(make_call)

    board = desk.get("/").content.decode()
    pages = [desk.get(f"/calls/{call.pk}/").content.decode() for call in (carrier, ai)]

    assert board.count("no AI call known") == board.count("no carrier leg known") == 1
    assert "no AI call known" in pages[0]
    assert "no carrier leg known" in pages[1]


def test_the_page_lists_the_other_half_with_number_time_and_distance(desk: Client, make_call: MakeCall) -> None:
    carrier, ai = halves(make_call)

    text = desk.get(f"/calls/{carrier.pk}/").content.decode()

    assert f'id="candidate-{ai.pk}"' in text
    assert "+1 555 0123" in text
    assert "same number" in text
    assert "0 s later" in text


def test_a_whole_call_joined_by_a_header_has_no_such_section(desk: Client, make_call: MakeCall) -> None:
    call = make_call(carrier_sid="CA1", ai_call_id="rtc_1", correlation_method="signed_header")

    assert 'id="other-half"' not in desk.get(f"/calls/{call.pk}/").content.decode()


def test_linking_leads_to_the_whole_call_and_old_links_do_too(desk: Client, make_call: MakeCall) -> None:
    carrier, ai = halves(make_call)
    make_call(**{**CARRIER, "carrier_sid": "CA2", "ai_dialled_at": at(0)})

    response = desk.post(f"/calls/{ai.pk}/link", {"other": carrier.pk, "why": "Heard her name"})

    assert (response.status_code, response.headers["Location"]) == (303, f"/calls/{carrier.pk}/")
    old = desk.get(f"/calls/{ai.pk}/")
    assert (old.status_code, old.headers["Location"]) == (302, f"/calls/{carrier.pk}/")
    text = desk.get(f"/calls/{carrier.pk}/").content.decode()
    assert "joined exact" in text
    assert "supervisor said that these are the halves of one call" in text
    assert "Reason given: Heard her name." in text
    assert "If that is wrong" in text


def test_acts_on_an_old_page_reach_the_whole_call(desk: Client, make_call: MakeCall) -> None:
    call = make_call()
    MergedCall.objects.create(former_id="0half", call=call)

    response = desk.post("/calls/0half/hangup")

    call.refresh_from_db()
    assert response.headers["Location"] == f"/calls/{call.pk}/"
    assert call.end_wish == "operator"


@pytest.mark.parametrize(
    ("other", "status", "why"),
    [
        ("", 422, "Choose the call"),
        ("<script>", 422, "not the id of a call"),
        ("0unknown", 409, "not known"),
        ("itself", 409, "with itself"),
    ],
)
def test_what_cannot_be_linked_is_refused_in_the_section(
    desk: Client, make_call: MakeCall, other: str, status: int, why: str
) -> None:
    carrier, _ = halves(make_call)

    response = desk.post(f"/calls/{carrier.pk}/link", {"other": carrier.pk if other == "itself" else other})

    assert response.status_code == status
    assert why in response.content.decode()


def test_who_may_only_watch_sees_the_candidates_and_cannot_link(
    client: Client, watcher: User, make_call: MakeCall
) -> None:
    client.force_login(watcher)
    carrier, ai = halves(make_call)

    text = client.get(f"/calls/{carrier.pk}/").content.decode()

    assert f'id="candidate-{ai.pk}"' in text
    assert f"/calls/{carrier.pk}/link" not in text
    assert client.post(f"/calls/{carrier.pk}/link", {"other": ai.pk}).status_code == 403


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("quiet_hub")
async def test_whoever_watches_the_half_is_told_where_it_went(make_call: MakeCall) -> None:
    carrier, ai = await in_db(halves)(make_call)
    async with Browser(f"/ws/calls/{ai.pk}/?seq=0&rev=0", SEEING) as browser:
        await browser.until(lambda page: page.saw("live-light"))

        await in_db(link_by_hand)(call_id=carrier.pk, other_id=ai.pk, by="supervisor1", now=at(60))
        await in_db(notify.call_changed)(ai.pk)

        await browser.until(lambda page: page.saw(f"/calls/{carrier.pk}/"))
