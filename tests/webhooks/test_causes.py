"""The likely cause of a signature that does not fit is told from the request itself, and never a secret."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from callops.providers.openai import webhook
from callops.providers.twilio import signature
from callops.webhooks import causes
from callops.webhooks.causes import Carried, of_carrier, of_openai
from tests.webhooks.ai import signature as openai_signature

TOKEN, OTHER = "fedcba9876543210fedcba9876543210", "0123456789abcdef0123456789abcdef"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "whsec_bG9jYWwtc2ltdWxhdG9yLWtleS1ub3QtYS1zZWNyZXQ="
FORM = {"CallSid": ["CA1"], "AccountSid": [ACCOUNT]}
BODY = b"CallSid=CA1&AccountSid=" + ACCOUNT.encode()
PATH = "/twiml/inbound?mode=recovery"


def came(signed_url: str, *, token: str = TOKEN, form: dict[str, list[str]] | None = None, **headers: str) -> Carried:
    """A request that was signed for this address and reached us with these headers."""
    params = FORM if form is None else form
    fits = RequestValidator(token).compute_signature(signed_url, {name: values[0] for name, values in params.items()})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    seen = {"Host": "10.0.0.7:8000", "X-Twilio-Signature": fits, "User-Agent": "TwilioProxy/1.1", **named}
    return Carried("https://calls.example.com", PATH, "POST", params, BODY, seen)


def cause(request: Carried) -> str:
    """Verified as at the door, and judged."""
    with pytest.raises(signature.BadSignature) as refused:
        signature.verify(
            [TOKEN],
            url=request.public_url + request.path,
            method=request.method,
            params=request.params,
            body=request.body,
            headers=request.headers,
        )
    return of_carrier(refused.value.reason, request, tokens=[TOKEN], account=ACCOUNT)


@pytest.mark.parametrize(
    ("base", "headers"),
    [
        ("https://other.example.com", {"Host": "other.example.com"}),
        ("http://other.example.com", {"Host": "other.example.com"}),
        ("https://other.example.com", {"X_Forwarded_Host": "other.example.com"}),
        (
            "https://other.example.com",
            {"X_Forwarded_Host": "other.example.com, proxy.local", "X_Forwarded_Proto": "https"},
        ),
        ("https://other.example.com:8443", {"Host": "other.example.com:8443"}),
        ("http://calls.example.com", {}),
        ("https://other.example.com/voice", {"Host": "other.example.com", "X_Forwarded_Prefix": "/voice/"}),
    ],
)
def test_a_wrong_public_url_is_told_with_the_right_one(base: str, headers: dict[str, str]) -> None:
    said = cause(came(base + PATH, **headers))

    assert said == f"The signature fits {base}, so PUBLIC_URL (https://calls.example.com) is wrong. Set it to that."


def test_an_address_that_the_signature_does_not_fit_is_never_said() -> None:
    said = cause(came("https://evil.example.com" + PATH, token=OTHER, Host="evil.example.com"))

    assert "evil" not in said
    assert said == causes.FITS_NONE


def test_another_accounts_request_is_told_from_a_wrong_token() -> None:
    theirs = {**FORM, "AccountSid": ["AC" + "f" * 32]}
    ours, others = came("https://calls.example.com" + PATH, token=OTHER), came("https://x" + PATH, form=theirs)

    assert cause(ours) == causes.FITS_NONE
    assert cause(others) == causes.ANOTHER_ACCOUNT
    assert "subaccount" in causes.ANOTHER_ACCOUNT
    assert (
        cause(came("https://x" + PATH, form={"a": ["b"]}))
        == "Not from Twilio: somebody tries the address. Nothing has to be done."
    )


def test_a_proxy_that_changes_the_request_is_told() -> None:
    url = "https://calls.example.com" + PATH
    as_get = replace(came(url), headers={**came(url, form={}).headers})
    unsigned = replace(came(url), headers={"User-Agent": "TwilioProxy/1.1"})
    hashed = replace(came(url), path="/twiml/debugger?bodySHA256=" + "0" * 64)

    assert cause(as_get) == causes.FORM_CHANGED
    assert cause(unsigned) == causes.HEADER_LOST
    assert cause(hashed) == causes.BODY_CHANGED
    assert cause(replace(came(url), params={}, body=b"{}")) == causes.OTHER_BODY
    assert cause(replace(came(url), headers={"User-Agent": "curl/8"})).startswith("Not from Twilio")


def test_a_token_that_is_not_set_is_told() -> None:
    request = came("https://calls.example.com" + PATH)

    assert of_carrier(signature.NO_TOKEN, request, tokens=[""], account=ACCOUNT) == causes.TOKEN_UNSET


def delivered(*, at: datetime = NOON, secret: str = SECRET, body: str = "{}", **headers: str) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    signed = openai_signature(secret, "wh_1", stamp, body)
    return {"webhook-id": "wh_1", "webhook-timestamp": stamp, "webhook-signature": signed, **headers}


def openai_cause(headers: dict[str, str], *, secrets: tuple[str, ...] = (SECRET,)) -> str:
    with pytest.raises(webhook.BadSignature) as refused:
        webhook.verify(secrets, headers=headers, body=b"{}", now=NOON)
    return of_openai(refused.value.reason, secrets=secrets, headers=headers, body=b"{}", now=NOON)


def test_openais_refusals_are_told_apart() -> None:
    other = "whsec_" + "b3RoZXI="

    assert openai_cause(delivered(secret=other)) == causes.ANOTHER_ENDPOINT
    assert openai_cause(delivered(at=NOON - timedelta(minutes=6))) == causes.CLOCK.format(way="ago")
    assert openai_cause(delivered(at=NOON + timedelta(minutes=6))) == causes.CLOCK.format(way="ahead")
    assert openai_cause(delivered(), secrets=(SECRET.removeprefix("whsec_"),)) == causes.PREFIX_LOST
    assert openai_cause(delivered(), secrets=("",)) == causes.SECRET_UNSET
    assert openai_cause({}).startswith("Not from OpenAI")


@given(
    st.dictionaries(
        st.sampled_from(["Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Twilio-Signature"]), st.text()
    ),
    st.text(),
    st.dictionaries(st.text(), st.lists(st.text(), min_size=1)),
)
def test_whatever_a_stranger_sends_is_judged_in_a_sentence_of_ours(
    headers: dict[str, str], path: str, params: dict[str, list[str]]
) -> None:
    request = Carried("https://calls.example.com", "/" + path, "POST", params, b"x", headers)

    for reason in (signature.MISSING, signature.NO_MATCH, signature.NO_TOKEN, "?"):
        said = of_carrier(reason, request, tokens=[TOKEN], account=ACCOUNT)
        assert said.endswith(".") and TOKEN not in said and len(said) <= 300
        assert json.dumps(said).isascii()
