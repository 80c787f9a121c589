"""Numbers are unreadable on every way out to somebody who may not read them, and nothing else is touched."""

from __future__ import annotations

import asyncio
import json
import re

import phonenumbers
import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from callops.api.tokens import issue
from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.words import Lane
from callops.dashboard.outbox import Outbox
from callops.people import groups
from callops.people.roles import Role
from callops.people.standing import Standing
from callops.people.veil import veil
from tests.rows import CALLER, NOON, make_call, make_line

HIDDEN = CALLER.removeprefix("+")


@pytest.mark.parametrize(
    ("text", "veiled"),
    [
        ("+15550123", "+1•••••23"),
        ("+1 555 0123", "+1 ••• ••23"),
        ("%2B15550123&To=x", "%2B1•••••23&To=x"),
        ("sip:15550123@pstn", "sip:1•••••23@pstn"),
        ("tel:+442079460123", "tel:+4•••••••••23"),
        ("SıPſ:15550123@pstn", "SıPſ:1•••••23@pstn"),
        ("SİP:15550123@pstn", "SİP:1•••••23@pstn"),
        ("TEL:15550123", "TEL:1•••••23"),
        (
            '<data class="tel" value="x" title="y">(202) 555-0123</data>',
            '<data class="tel" value="x" title="y">(•••) •••-••23</data>',
        ),
        ("Fri, 27 Nov 2026 05:44:05 +0000", "Fri, 27 Nov 2026 05:44:05 +0000"),
        ("2026-11-27T05:44:05+00:00", "2026-11-27T05:44:05+00:00"),
        ("CA1234567890 in 12345678 ms, 3 + 4", "CA1234567890 in 12345678 ms, 3 + 4"),
    ],
)
def test_a_number_is_veiled_and_nothing_else(text: str, veiled: str) -> None:
    assert veil(text) == veiled


@given(st.text(alphabet="+0123456789 ().-tel:sip%2Bab", max_size=60))
def test_veiling_twice_is_veiling_once(text: str) -> None:
    assert veil(veil(text)) == veil(text)


REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
KINDS = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE)
LIVE_PIECE = """{% load desk %}<li title="{{ n|phone }}"><b>{{ n|tel:c }}</b> <b>{{ n|tel }}</b>
{% include "dashboard/_copy_number.html" with number=n %}</li>"""


@st.composite
def numbers_of_the_world(draw: st.DrawFn) -> str:
    """A number as some country gives it out, or any at all that begins with a country's code."""
    region = draw(st.sampled_from(REGIONS))
    if draw(st.booleans()):
        found = phonenumbers.example_number_for_type(region, draw(st.sampled_from(KINDS)))
        if found is not None:
            return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    code = str(phonenumbers.country_code_for_region(region))
    return f"+{code}{draw(st.text('0123456789', min_size=5, max_size=15 - len(code)))}"


@given(numbers_of_the_world(), st.booleans())
def test_of_no_countrys_number_more_than_three_digits_reach_a_viewer(number: str, at_home: bool) -> None:
    called = number if at_home else "+15550100"
    box = Outbox(user_id=1, standing=Standing(is_active=True, rights=frozenset()))

    box.put(Template(LIVE_PIECE).render(Context({"n": number, "c": called})))

    told = re.sub(r"<svg.*?</svg>", "", asyncio.run(box.take()))
    texts = re.split(r"[<>\"']", told)
    assert all(len(re.findall("[0-9]", text)) <= 3 for text in texts), told
    assert told == veil(told)


@pytest.fixture
def call(db):
    row = make_call(make_line())
    params = {"From": CALLER, "CallSid": row.carrier_sid}
    timeline.note(row, at=NOON, kind=Kind.CARRIER_INBOUND, lane=Lane.CARRIER, body={"params": params})
    return row


def client_of(role: Role) -> tuple[Client, User]:
    user = User.objects.create_user(role.value)
    groups.give(user, role)
    client = Client()
    client.force_login(user)
    return client, user


@pytest.mark.parametrize(
    "path", ["/", "/calls/", "/calls/{id}/", "/callbacks/", "/incidents/", "/api/calls", "/api/calls/{id}"]
)
def test_a_viewer_reads_no_number_on_any_page_and_a_supervisor_does(call, path: str) -> None:
    for role, readable in ((Role.VIEWER, False), (Role.SUPERVISOR, True)):
        client, _ = client_of(role)
        text = client.get(path.format(id=call.pk)).content.decode()
        shown = HIDDEN in text or "555 0123" in text or "555-0123" in text
        assert shown is (readable and "callbacks" not in path and "incidents" not in path)


def test_a_viewers_token_reads_no_number_either(call) -> None:
    _, user = client_of(Role.VIEWER)
    api = Client(headers={"Authorization": f"Bearer {issue(user, NOON)}"})

    told = api.get(f"/api/calls/{call.pk}").json()
    events = json.dumps(api.get(f"/api/calls/{call.pk}/events").json())

    assert told["from_number"] == "+1•••••23"
    assert HIDDEN not in events


def test_a_viewer_cannot_find_out_a_number_by_searching(call) -> None:
    viewer, user = client_of(Role.VIEWER)
    api = Client(headers={"Authorization": f"Bearer {issue(user, NOON)}"})

    assert call.pk not in viewer.get("/calls/?q=5550123").content.decode()
    assert api.get("/api/calls?q=5550123").json()["items"] == []
    assert [each["id"] for each in api.get(f"/api/calls?q={call.carrier_sid}").json()["items"]] == [call.pk]
