"""Who may come in at the carrier's doors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client

from callops.calls.models import Call, Event, Leg
from callops.core.config import Config
from callops.core.models import Counter
from tests.rows import make_line
from tests.webhooks.carrier import FORM, ask, sign

pytestmark = pytest.mark.django_db

VECTORS = json.loads((Path(__file__).parents[1] / "contracts/twilio/signature-vectors.json").read_text())["vectors"]
INBOUND = [vector for vector in VECTORS if urlsplit(vector["url_seen_by_app"]).path == "/twiml/inbound"]
NAMES = {"ids": lambda vector: vector["name"]}


@pytest.fixture
def everywhere(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.webhooks.anywhere"
    settings.APPEND_SLASH = False


def deliver(vector: dict[str, Any], configure: Callable[..., Config]) -> int:
    """The vector's exact request, at the address under which the application is reached; the answer's status."""
    parts = urlsplit(vector["url_seen_by_app"])
    configure(public_url=f"{parts.scheme}://{parts.netloc}", twilio_auth_tokens=(vector["token"],))
    path = vector["url_seen_by_app"].removeprefix(f"{parts.scheme}://{parts.netloc}")
    headers = {name: value for name, value in vector["headers"].items() if value}
    if vector["method"] == "GET":
        return Client().get(path, headers=headers).status_code
    body = vector["body_raw"] if vector.get("body_raw") else vector.get("body_form_encoded")
    body = body or urlencode(vector["params"] or {}, doseq=True)
    content_type = "application/json" if vector.get("body_raw") else FORM
    return Client().post(path, body.encode(), content_type=content_type, headers=headers).status_code


def nothing_happened() -> bool:
    return not (Call.objects.exists() or Leg.objects.exists() or Event.objects.exists())


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("vector", VECTORS, **NAMES)
def test_every_vector_of_the_contract_at_a_door(vector: dict[str, Any], configure: Callable[..., Config]) -> None:
    status = deliver(vector, configure)

    if vector["valid"]:
        # A body that is no form names no leg: it is let in, and then it cannot be read.
        assert status == (400 if vector["content_type"] == "application/json" else 204)
    else:
        # A fragment is never sent: the address arrives without it, and then the signature is right.
        assert status == (204 if "#" in vector["url_seen_by_app"] else 403)
    refused = Counter.objects.filter(name="refused.twilio_signature").first()
    assert (refused.count if refused else 0) == (status == 403)
    assert (status == 204) or nothing_happened()


@pytest.mark.parametrize("vector", INBOUND, **NAMES)
def test_the_vectors_of_the_voice_webhook_at_the_voice_webhook(
    vector: dict[str, Any], configure: Callable[..., Config]
) -> None:
    status = deliver(vector, configure)

    if vector["valid"]:
        assert status == 200
        assert Call.objects.count() == 1
    elif "#" not in vector["url_seen_by_app"]:
        assert status == 403
        assert nothing_happened()
        assert Counter.objects.get(name="refused.twilio_signature").count == 1


PARAMS = {"CallSid": "CA1", "From": "+15550123", "To": "+15550100", "CallStatus": "ringing"}


def test_each_token_counts_while_one_is_rotated(configure: Callable[..., Config]) -> None:
    url = f"{configure().public_url}/twiml/inbound"
    old = sign(url, PARAMS)
    configure(twilio_auth_tokens=("a-new-token", *configure().twilio_auth_tokens))

    assert Client().post("/twiml/inbound", PARAMS, headers={"X-Twilio-Signature": old}).status_code == 200


def test_a_request_without_any_signature_is_refused() -> None:
    response = Client().post("/twiml/inbound", PARAMS)

    assert response.status_code == 403
    assert Counter.objects.get().last_reason == "/twiml/inbound: the signature header is missing"
    assert nothing_happened()


def test_a_signature_for_one_address_does_not_open_another() -> None:
    signature = sign("http://127.0.0.1:8000/twiml/status", PARAMS)

    assert Client().post("/twiml/inbound", PARAMS, headers={"X-Twilio-Signature": signature}).status_code == 403


def test_every_refusal_is_counted() -> None:
    for _ in range(3):
        Client().post("/twiml/inbound", PARAMS)

    assert Counter.objects.get(name="refused.twilio_signature").count == 3


def test_a_signed_form_that_names_no_leg_is_400_and_counted() -> None:
    assert ask("/twiml/inbound", From="+15550123").status_code == 400
    assert ask("/twiml/inbound", CallSid="../../etc").status_code == 400
    assert Counter.objects.get(name="refused.twilio_form").count == 2
    assert nothing_happened()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_not_allowed(method: str) -> None:
    assert getattr(Client(), method)("/twiml/inbound").status_code == 405


def test_the_doors_need_no_csrf_token() -> None:
    make_line()
    client = Client(enforce_csrf_checks=True)
    headers = {"X-Twilio-Signature": sign("http://127.0.0.1:8000/twiml/inbound", PARAMS)}

    assert client.post("/twiml/inbound", PARAMS, headers=headers).status_code == 200


def test_a_multipart_form_is_verified_like_any_form() -> None:
    headers = {"X-Twilio-Signature": sign("http://127.0.0.1:8000/twiml/inbound", PARAMS)}

    assert Client().post("/twiml/inbound", PARAMS, headers=headers).status_code == 200
    assert Client().post("/twiml/inbound", {**PARAMS, "To": "+15550101"}, headers=headers).status_code == 403
