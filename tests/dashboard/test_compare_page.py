"""A call beside a good one: found by itself, or named in the address."""

from __future__ import annotations

import pytest
from django.test import Client

from callops.calls.words import State
from callops.dashboard.compare_page import good_call
from callops.transfers.models import TransferAttempt
from tests.reports.cases import silent_refer
from tests.rows import NOON, at, make_attempt, make_call, make_line

pytestmark = pytest.mark.django_db


def test_the_newest_call_of_the_line_that_was_moved_by_a_proven_way_is_the_good_one() -> None:
    call, _ = silent_refer()
    moved, unproven = (make_call(call.line, answered_at=NOON) for _ in range(2))
    elsewhere = make_call(make_line(number="+15550109"))
    for each, mechanism in ((moved, "redirect"), (unproven, "unknown"), (elsewhere, "refer")):
        attempt = make_attempt(each)
        TransferAttempt.objects.filter(pk=attempt.pk).update(outcome="connected", mechanism=mechanism, state="settled")
        type(each).objects.filter(pk=each.pk).update(state=State.ENDED, ended_at=at(90))

    assert good_call(call) == moved


def test_two_calls_can_be_compared_by_their_ids(desk: Client) -> None:
    call, _ = silent_refer()
    other = make_call(call.line)

    alone = desk.get(f"/calls/{call.pk}/compare/").content.decode()
    page = desk.get(f"/calls/{call.pk}/compare/?with={other.pk}&align=accept").content.decode()

    assert "No good call of this line is known" in alone
    assert "The REFER we asked OpenAI for was answered 200" in page and "not seen" in page
    assert "has none, so it is laid on its beginning" in page
    assert f'href="/calls/{call.pk}/timeline/#event-6"' in page
    assert desk.get(f"/calls/{call.pk}/compare/?with=nonsense").status_code == 404
    assert desk.get(f"/calls/{call.pk}/compare/?align=x").status_code == 200


def test_nobody_compares_without_signing_in(client: Client) -> None:
    assert client.get(f"/calls/{silent_refer()[0].pk}/compare/").status_code == 302
