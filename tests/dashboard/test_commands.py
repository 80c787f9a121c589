"""Transfer, cancel and hang up: with htmx and without, once per key, and with a reason when not."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from callops.audit.models import Entry
from callops.calls.models import Call, Destination
from callops.transfers.models import TransferAttempt
from tests.dashboard.conftest import MakeCall, make_attempt, make_line

HTMX = {"HX-Request": "true"}


def live(make_call: MakeCall) -> Call:
    return make_call(line=make_line())


def test_the_form_has_a_fresh_key_each_time_and_only_the_directory(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = make_call(line=make_line(), carrier_sid="CA1")

    pages = [desk.get(f"/calls/{call.pk}/").content.decode() for _ in range(2)]

    keys = [re.findall(r'id="transfer-key" value="(\w+)"', page) for page in pages]
    assert keys[0] != keys[1]
    assert re.findall(r'<option value="(\w+)"', pages[0]) == ["frontdesk"]
    assert "the caller is redirected" in pages[0]


def test_a_plain_form_transfers_and_comes_back_to_the_page(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = live(make_call)

    response = desk.post(f"/calls/{call.pk}/transfer", {"destination": "frontdesk", "key": "k1"})

    assert response.status_code == 303
    assert response.headers["Location"] == f"/calls/{call.pk}/"
    attempt = TransferAttempt.objects.get()
    assert (attempt.target_label, attempt.requested_by, attempt.key) == ("Front desk", "supervisor", "k1")


def test_htmx_gets_fragments_with_the_open_transfer(desk: Client, make_call: MakeCall, frontdesk: Destination) -> None:
    call = live(make_call)

    response = desk.post(f"/calls/{call.pk}/transfer", {"destination": "frontdesk", "key": "k1"}, headers=HTMX)

    text = response.content.decode()
    assert response.status_code == 200
    assert "<html" not in text
    assert "Unproven" in text
    assert "A transfer to Front desk is under way." in text
    assert f"/transfers/{TransferAttempt.objects.get().pk}/cancel" in text


def test_who_asks_for_what_is_looked_up_before_the_transaction_of_the_wish(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = live(make_call)
    desk.get(f"/calls/{call.pk}/")

    with CaptureQueriesContext(connection) as asked:
        answer = desk.post(f"/calls/{call.pk}/transfer", {"destination": "frontdesk", "key": "k1"})

    statements = [each["sql"] for each in asked]
    begun = next(place for place, sql in enumerate(statements) if sql.startswith("SAVEPOINT"))
    before, after = " ".join(statements[:begun]), " ".join(statements[begun:])
    looked_up = ("django_session", "people_team", "calls_destination", "transfers_linebreaker")
    assert answer.status_code == 303
    assert [of for of in looked_up if of in before and of not in after] == list(looked_up)
    assert statements[-1].startswith("RELEASE SAVEPOINT")
    assert len(statements) - begun == 15


def test_a_wish_for_nobody_begins_no_transaction_but_for_its_entry(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = live(make_call)
    desk.get(f"/calls/{call.pk}/")  # the session's use is noted

    with CaptureQueriesContext(connection) as asked:
        answer = desk.post(f"/calls/{call.pk}/transfer", {"destination": "nobody", "key": "k1"})

    assert answer.status_code == 422
    assert not [each for each in asked if each["sql"].startswith("SAVEPOINT")]
    assert Entry.objects.get(verb="transfer").detail["status"] == 422


def test_a_form_sent_twice_is_one_wish(desk: Client, make_call: MakeCall, frontdesk: Destination) -> None:
    call = live(make_call)

    for _ in range(2):
        desk.post(f"/calls/{call.pk}/transfer", {"destination": "frontdesk", "key": "k1"})

    assert TransferAttempt.objects.count() == 1


def test_a_destination_outside_the_directory_is_refused_with_the_reason(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = live(make_call)

    for headers in ({}, HTMX):
        response = desk.post(f"/calls/{call.pk}/transfer", {"destination": "+15550199", "key": "k"}, headers=headers)
        assert response.status_code == 422
        assert "not in the directory" in response.content.decode()
    assert not TransferAttempt.objects.exists()


def test_a_form_without_a_destination_says_what_to_do(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    response = desk.post(f"/calls/{live(make_call).pk}/transfer", {"key": "k"})

    assert response.status_code == 422
    assert "Choose where to send the caller." in response.content.decode()


def test_a_second_transfer_is_refused_while_one_is_open(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = live(make_call)
    desk.post(f"/calls/{call.pk}/transfer", {"destination": "frontdesk", "key": "k1"})

    response = desk.post(f"/calls/{call.pk}/transfer", {"destination": "frontdesk", "key": "k2"}, headers=HTMX)

    assert response.status_code == 409
    assert 'role="alert"' in response.content.decode()


def test_a_call_that_is_over_cannot_be_transferred_or_hung_up(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = make_call(state="ended")

    transfer = desk.post(f"/calls/{call.pk}/transfer", {"destination": "frontdesk", "key": "k1"})
    hangup = desk.post(f"/calls/{call.pk}/hangup")

    assert transfer.status_code == 409
    assert hangup.status_code == 409
    assert "over" in hangup.content.decode()


def test_a_transfer_under_way_can_be_cancelled_and_a_settled_one_says_too_late(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = live(make_call)
    desk.post(f"/calls/{call.pk}/transfer", {"destination": "frontdesk", "key": "k1"})
    attempt = TransferAttempt.objects.get()
    settled = make_attempt(make_call(), state="settled", mechanism="redirect", outcome="connected")

    cancelled = desk.post(f"/calls/{call.pk}/transfers/{attempt.pk}/cancel")
    late = desk.post(f"/calls/{settled.call_id}/transfers/{settled.pk}/cancel", headers=HTMX)

    attempt.refresh_from_db()
    assert cancelled.status_code == 303
    assert attempt.cancelled_at is not None
    assert late.status_code == 409


def test_a_transfer_of_another_call_is_not_found(desk: Client, make_call: MakeCall) -> None:
    attempt = make_attempt(make_call())

    assert desk.post(f"/calls/{make_call().pk}/transfers/{attempt.pk}/cancel").status_code == 404


def test_hanging_up_needs_a_confirmation_and_is_then_shown_as_asked(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = live(make_call)
    before = desk.get(f"/calls/{call.pk}/").content.decode()

    response = desk.post(f"/calls/{call.pk}/hangup", headers=HTMX)

    call.refresh_from_db()
    assert '<details id="hangup"' in before
    assert call.end_wish == "operator"
    assert "Hanging up was asked for." in response.content.decode()


def test_those_who_may_only_watch_get_no_buttons_and_are_refused(
    client: Client, watcher: User, make_call: MakeCall, frontdesk: Destination
) -> None:
    client.force_login(watcher)
    call = live(make_call)

    page = client.get(f"/calls/{call.pk}/").content.decode()

    assert "transfer-form" not in page
    assert client.post(f"/calls/{call.pk}/transfer", {"destination": "frontdesk", "key": "k"}).status_code == 403
    assert client.post(f"/calls/{call.pk}/hangup").status_code == 403
    assert not TransferAttempt.objects.exists()


def test_commands_are_posts_with_a_csrf_token(supervisor: User, make_call: MakeCall) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(supervisor)
    call = live(make_call)

    assert client.get(f"/calls/{call.pk}/transfer").status_code == 405
    assert client.post(f"/calls/{call.pk}/hangup").status_code == 403


def test_a_transfer_with_a_brief_takes_the_name_as_it_is_typed_and_tells_the_human(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = live(make_call)

    desk.post(f"/calls/{call.pk}/transfer", {"destination": "front DESK", "key": "k1", "brief": "Mother on oxygen."})

    attempt = TransferAttempt.objects.get(call=call)
    assert (attempt.destination, attempt.summary) == (frontdesk, "Mother on oxygen.")
    page = desk.get(f"/calls/{call.pk}/").content.decode()
    assert "supervisor is moving this caller." in page
    assert '<li class="now"><span class="shape half" aria-hidden="true"></span><span>Twilio rings Front desk' in page
    assert 'data-words="Front desk"' in page
