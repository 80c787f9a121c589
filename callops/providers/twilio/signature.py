"""Is this request from the carrier (contract Twilio 1.3)? Judged by Twilio's own validator."""

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
)

_ALGORITHMS = (HMAC_SHA1, HMAC_SHA256)
_BODY_HASH = "bodySHA256"
MISSING = "the signature header is missing"
NO_MATCH = "no signature matches"
NO_TOKEN = "no token is configured"  # noqa: S105 - a sentence


class BadSignature(Exception):
    """The request cannot be shown to come from the carrier; `reason` says why and holds no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Params(dict[str, list[str]]):
    """Decoded form parameters in the form in which the validator sees repeated names."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def verify(
    tokens: Sequence[str],
    *,
    url: str,
    method: str,
    params: Mapping[str, list[str]],
    body: bytes,
    headers: Mapping[str, str],
) -> None:
    """Returns when one of the tokens signed this request; raises `BadSignature` otherwise (contract Twilio 1.3).

    `url` is the public URL with its query string as it was requested, without a fragment; `params` are the decoded
    form parameters with repeats. A body that is not a form must be covered by `bodySHA256` in the URL.
    """
    given = {name.lower(): value for name, value in headers.items()}
    signature = given.get(SIGNATURE_HEADER.lower(), "")
    algorithm = _algorithm(given.get(SIGNATURE_SETTINGS_HEADER.lower(), ""))
    if not signature:
        raise BadSignature(MISSING)
    signed = _signed_params(url, method, params, body)
    usable = [token for token in tokens if token]
    if not usable:
        raise BadSignature(NO_TOKEN)
    try:
        matches = [RequestValidator(token).validate(url, signed, signature, algorithm) for token in usable]
    except ValueError as error:
        raise BadSignature("the URL or a parameter cannot be read") from error
    if not any(matches):
        raise BadSignature(NO_MATCH)


def _algorithm(settings: str) -> str:
    """What the settings header names, `HMAC_SHA1` without one; raises for anything unknown or malformed."""
    if not settings:
        return str(HMAC_SHA1)
    pairs = [part.partition("=") for part in settings.split(",")]
    named = [value.strip().upper() for name, _, value in pairs if name.strip() == "algorithm"]
    if len(named) != 1 or not all(separator for _, separator, _ in pairs):
        raise BadSignature("the signature settings are malformed")
    if named[0] not in _ALGORITHMS:
        raise BadSignature("the signature algorithm is unknown")
    return named[0]


def _signed_params(url: str, method: str, params: Mapping[str, list[str]], body: bytes) -> _Params:
    """The parameters that the signature covers beside the URL; raises when the body is covered by nothing."""
    if method.upper() != "POST":
        return _Params()
    try:
        hashes = parse_qs(urlsplit(url).query).get(_BODY_HASH, [])
    except ValueError as error:
        raise BadSignature("the URL cannot be read") from error
    if hashes:
        if len(hashes) > 1 or not hmac.compare_digest(sha256(body).hexdigest().encode(), hashes[0].encode()):
            raise BadSignature("the body does not match bodySHA256")
        return _Params()
    if body and not params:
        raise BadSignature("the body is not covered by the signature")
    return _Params({name: list(values) for name, values in params.items()})
