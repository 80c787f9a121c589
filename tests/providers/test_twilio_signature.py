"""Signatures of the carrier: every vector of the contract, and what the vectors do not cover."""

from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from callops.providers.twilio.signature import BadSignature, verify
from tests.providers import contracts

VECTORS = contracts.read("twilio/signature-vectors.json")["vectors"]
TOKEN = "3f9c1d7e5b2a48069e1cd4f8a7b06352"
URL = "https://calls.example.com/twiml/inbound"
PARAMS = {"CallSid": ["CA1"], "From": ["+14155550142"]}
SETTINGS = "X-Twilio-Webhooks-Signature-Settings"


def judge(vector: dict[str, Any], tokens: list[str]) -> None:
    body = vector.get("body_raw") or vector.get("body_form_encoded") or ""
    verify(
        tokens,
        url=vector["url_seen_by_app"],
        method=vector["method"],
        params=vector["params"] or {},
        body=body.encode(),
        headers=vector["headers"],
    )


def signed(url: str = URL, params: dict[str, list[str]] | None = None, algorithm: str | None = None) -> str:
    flat = {name: values[0] for name, values in (PARAMS if params is None else params).items()}
    return str(RequestValidator(TOKEN).compute_signature(url, flat, algorithm))


def check(tokens: list[str], **changed: Any) -> None:
    usual = {
        "url": URL,
        "method": "POST",
        "params": PARAMS,
        "body": b"form",
        "headers": {"X-Twilio-Signature": signed()},
    }
    verify(tokens, **(usual | changed))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_vector_of_the_contract(vector: dict[str, Any]) -> None:
    if vector["valid"]:
        judge(vector, [vector["token"]])
    else:
        with pytest.raises(BadSignature):
            judge(vector, [vector["token"]])


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["valid"]], ids=lambda vector: vector["name"])
def test_either_token_counts_while_one_is_rotated(vector: dict[str, Any]) -> None:
    judge(vector, ["0" * 32, vector["token"]])
    judge(vector, [vector["token"], "0" * 32])


@pytest.mark.parametrize("tokens", [[], [""], ["0" * 32]])
def test_without_the_right_token_nothing_passes(tokens: list[str]) -> None:
    with pytest.raises(BadSignature):
        check(tokens)


def test_an_empty_token_never_counts_as_a_key() -> None:
    forged = RequestValidator("").compute_signature(URL, {"CallSid": "CA1", "From": "+14155550142"})

    with pytest.raises(BadSignature):
        check(["", TOKEN], headers={"X-Twilio-Signature": forged})


def test_the_names_of_headers_are_read_in_any_case() -> None:
    check([TOKEN], headers={"x-twilio-signature": signed()})


@pytest.mark.parametrize("signature", ["", "é", "x", "A" * 28])
def test_a_mangled_signature_is_refused(signature: str) -> None:
    with pytest.raises(BadSignature):
        check([TOKEN], headers={"X-Twilio-Signature": signature})


def test_a_request_without_signature_is_refused() -> None:
    with pytest.raises(BadSignature, match="missing"):
        check([TOKEN], headers={})


@pytest.mark.parametrize("algorithm", ["HMAC_SHA1", "HMAC_SHA256"])
def test_the_settings_header_chooses_the_algorithm(algorithm: str) -> None:
    headers = {"X-Twilio-Signature": signed(algorithm=algorithm), SETTINGS: f"key=k1, algorithm={algorithm}"}

    check([TOKEN], headers=headers)


@pytest.mark.parametrize(
    "settings",
    ["key=k1", "algorithm", "algorithm=", "key,algorithm=HMAC_SHA1", "algorithm=HMAC_MD5", "algorithm=none", ",",
     "algorithm=HMAC_SHA1,algorithm=HMAC_SHA256"],
)  # fmt: skip
def test_unknown_and_malformed_settings_are_refused(settings: str) -> None:
    with pytest.raises(BadSignature, match=r"settings|algorithm"):
        check([TOKEN], headers={"X-Twilio-Signature": signed(), SETTINGS: settings})


def test_a_body_that_nothing_covers_is_refused() -> None:
    headers = {"X-Twilio-Signature": signed(params={})}

    check([TOKEN], params={}, body=b"", headers=headers)
    with pytest.raises(BadSignature, match="covered"):
        check([TOKEN], params={}, body=b'{"evil": 1}', headers=headers)


def test_two_body_hashes_are_refused() -> None:
    url = f"{URL}?bodySHA256={'0' * 64}&bodySHA256={'1' * 64}"

    with pytest.raises(BadSignature, match="bodySHA256"):
        check([TOKEN], url=url, params={}, headers={"X-Twilio-Signature": signed(url, {})})


@pytest.mark.parametrize("url", ["https://calls.example.com:port/x", "https://[::1/x", ""])
def test_a_url_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(BadSignature):
        check([TOKEN], url=url)


def test_a_parameter_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadSignature):
        check([TOKEN], params={"From": ["\ud800"]})
