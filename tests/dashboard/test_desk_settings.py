"""Presets and prices: kept by administrators, offered and used on the call page."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from callops.canary.models import Canary
from callops.sideband.models import AiSession
from callops.supervision.models import Preset, Price
from tests.dashboard.conftest import NOON, MakeCall, make_line
from tests.rows import OUR_NUMBER, make_destination


@pytest.fixture
def admin(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def test_only_administrators_keep_presets_and_prices(desk: Client) -> None:
    assert desk.get("/desk/").status_code == 403
    assert desk.post("/desk/", {"about": "preset"}).status_code == 403


def test_a_preset_is_offered_on_every_call_until_it_is_forgotten(client: Client, db: None, make_call: MakeCall) -> None:
    client.force_login(User.objects.create_superuser("root"))
    call = make_call(line=make_line())

    made = client.post("/desk/", {"about": "preset", "preset-title": "Refund", "preset-words": "Offer a refund."})

    assert made.status_code == 303
    assert '<option value="Offer a refund.">Refund</option>' in client.get(f"/calls/{call.pk}/").content.decode()
    assert "Offer a refund." in client.get("/desk/").content.decode()
    client.post(f"/desk/presets/{Preset.objects.get().pk}/forget")
    assert not Preset.objects.exists()


def test_a_price_begins_on_its_day_and_the_same_day_cannot_be_priced_twice(client: Client, db: None) -> None:
    client.force_login(User.objects.create_superuser("root"))
    wish = {"about": "price", "price-model": "gpt-next", "price-from_day": "2027-01-01", "price-audio_out": "50"}

    assert client.post("/desk/", wish).status_code == 303
    price = Price.objects.get(model="gpt-next")
    assert (int(price.audio_out), int(price.text_in)) == (50, 0)
    assert client.post("/desk/", wish).status_code == 422
    assert client.post("/desk/", {**wish, "price-from_day": "2027-02-01", "price-text_in": "-1"}).status_code == 422
    assert Price.objects.filter(model="gpt-next").count() == 1


def test_the_page_says_what_the_call_has_cost_and_why_that_is_a_lower_bound(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line(), started_at=NOON)
    assert "No answer has been metered yet." in desk.get(f"/calls/{call.pk}/").content.decode()
    at = call.started_at
    AiSession.objects.create(
        call=call, ai_call_id="rtc_1", webhook_at=at, created_at=at, usage={"audio_out": 1000, "gaps": 1}
    )

    piece = desk.get(f"/calls/{call.pk}/cost").content.decode()

    assert "≥ $0.0640" in piece
    assert "at least: we were not connected for a while" in piece
    assert 'hx-trigger="every 10s"' in piece


def canary(**told: object) -> dict[str, object]:
    line, loop = make_line(), make_destination("loopback")
    known = {"line": line.pk, "destination": loop.pk, "from_number": "+15550188", "every_minutes": 60, "longest_s": 90}
    return {"about": "canary", **{f"canary-{name}": value for name, value in {**known, **told}.items()}}


def test_a_canary_is_set_for_a_line_and_set_again(admin: Client) -> None:
    told = canary(is_on="on")

    assert admin.post("/desk/", told).status_code == 303
    assert admin.post("/desk/", {**told, "canary-every_minutes": 120, "canary-is_on": ""}).status_code == 303

    kept = Canary.objects.get()
    assert (kept.every_minutes, kept.is_on, kept.destination.name) == (120, False, "loopback")
    assert "Loopback" in admin.get("/desk/").text


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"from_number": "0301234"}, "E.164"),
        ({"from_number": OUR_NUMBER}, "cannot call itself"),
        ({"every_minutes": 5}, "greater than or equal to 10"),
        ({"longest_s": 4000}, "less than or equal to 300"),
        ({"line": "x"}, "valid choice"),
    ],
)
def test_a_canary_that_makes_no_sense_is_refused_with_the_reason(
    admin: Client, told: dict[str, object], why: str
) -> None:
    answer = admin.post("/desk/", canary(**told))

    assert answer.status_code == 422
    assert why in answer.text
    assert not Canary.objects.exists()


def test_no_canary_is_sent_where_somebody_has_to_press_a_key_or_to_a_trunk(admin: Client) -> None:
    screened = make_destination("screened", screen=True)
    trunk = make_line(number="+15550102", topology="trunk", name="Trunk")

    answer = admin.post("/desk/", canary(destination=screened.pk, line=trunk.pk))

    assert answer.status_code == 422
    assert "presses nothing" in answer.text and "trunk line cannot" in answer.text
