"""The page of the doors says what was refused and why, to administrators only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from twilio.request_validator import RequestValidator

from callops.core import clock
from callops.core.config import Config, config
from callops.core.doors import OPENAI, TWILIO
from callops.core.models import Refusal
from callops.core.refusals import KEPT, note
from callops.people.roles import Role
from tests.people.test_table import client_of

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def words(client: Client | None = None) -> str:
    answer = (client or client_of(Role.ADMINISTRATOR)).get("/doors/")
    return " ".join(answer.content.decode().split())


def test_a_wrong_public_url_is_on_the_page_with_the_right_one(client: Client, configure: Callable[..., Config]) -> None:
    configure(public_url="https://old.example.com")
    form = {"CallSid": "CA1", "AccountSid": config().twilio_account_sid}
    fits = RequestValidator(config().twilio_auth_tokens[0]).compute_signature("https://testserver/twiml/inbound", form)

    client.post("/twiml/inbound", form, headers={"X-Twilio-Signature": fits, "Host": "testserver"})
    text = words()

    assert "The signature fits https://testserver, so PUBLIC_URL (https://old.example.com) is wrong." in text
    assert fits not in text and config().twilio_auth_tokens[0] not in text


def test_refusals_are_summed_by_hour_and_cause() -> None:
    for minutes in (0, 10, 59, 60):
        note(TWILIO, "no signature matches", "Cause.", NOON + timedelta(minutes=minutes))
    note(TWILIO, "no signature matches", "Another.", NOON)
    note(OPENAI, "no signature matches", "Cause.", NOON)

    found = list(Refusal.objects.order_by("pk").values_list("door", "hour", "cause", "count"))

    assert found == [
        ("Twilio", NOON, "Cause.", 3),
        ("Twilio", NOON + timedelta(hours=1), "Cause.", 1),
        ("Twilio", NOON, "Another.", 1),
        ("OpenAI", NOON, "Cause.", 1),
    ]
    assert Refusal.objects.filter(count=3).get().last_at == NOON + timedelta(minutes=59)


def test_what_is_older_than_it_is_kept_is_forgotten() -> None:
    note(TWILIO, "no signature matches", "Cause.", NOON)
    note(TWILIO, "no signature matches", "Cause.", NOON + KEPT + timedelta(hours=2))

    assert Refusal.objects.count() == 1


def test_the_page_shows_the_day_by_cause_and_the_limits_and_says_when_there_is_nothing() -> None:
    administrator = client_of(Role.ADMINISTRATOR)
    assert "Nothing was refused." in words(administrator)
    note(TWILIO, "no signature matches", "Cause.", clock.now())
    note(TWILIO, "no signature matches", "Cause.", clock.now())

    text = words(administrator)

    assert (
        '<td class="number" data-label="refused">2</td><td>no signature matches</td><td class="remark">Cause.</td>'
        in text
    )
    assert "Nothing was refused." not in text
    assert "256 KB" in text and "600 a minute" in text
