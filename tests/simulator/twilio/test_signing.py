from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from multidict import MultiDict

from callops.simulator.twilio.config import TwilioConfig
from callops.simulator.twilio.signing import SETTINGS, SIGNATURE, sign, signature_headers

CONTRACTS = Path(__file__).parents[2] / "contracts" / "twilio"
VECTORS = json.loads((CONTRACTS / "signature-vectors.json").read_text())["vectors"]
VALID = [vector for vector in VECTORS if vector["valid"]]


def form(vector: dict[str, Any]) -> MultiDict[str]:
    return MultiDict((name, value) for name, values in (vector["params"] or {}).items() for value in values)


@pytest.mark.parametrize("vector", VALID, ids=[vector["name"] for vector in VALID])
def test_the_signer_reproduces_every_valid_vector(vector: dict[str, Any]) -> None:
    signature = sign(vector["url_signed_by_sender"], form(vector), vector["token"], vector["algorithm"])

    assert signature == vector["signature"]


def test_a_fragment_is_never_signed() -> None:
    plain = sign("https://calls.example.com/twiml/inbound", {"A": "1"}, "token")

    assert sign("https://calls.example.com/twiml/inbound#rc=2&rp=5xx", {"A": "1"}, "token") == plain


def test_a_shared_key_signs_with_sha256_and_says_so() -> None:
    config = TwilioConfig("AC1", "auth-token", sha256_shared_key="shared")

    headers = signature_headers(config, "https://calls.example.com/x", {"A": "1"})

    assert headers[SIGNATURE] == sign("https://calls.example.com/x", {"A": "1"}, "shared", "HMAC_SHA256")
    assert headers[SETTINGS].endswith("algorithm=HMAC_SHA256")
