"""Why a signature did not fit, as far as the request itself shows. Pure; the sentences hold no secret.

The address a request came to is only said when the carrier's signature fits it: then it is the carrier's own word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from callops.providers.openai import webhook
from callops.providers.twilio import signature

STRANGER = "Not from {who}: somebody tries the address. Nothing has to be done."
HEADER_LOST = "It says it is Twilio's and has no signature: a proxy on the way drops X-Twilio-Signature."
TOKEN_UNSET = "TWILIO_AUTH_TOKEN is not set."  # noqa: S105 - a sentence
ANOTHER_ACCOUNT = (
    "It names another account than TWILIO_ACCOUNT_SID. A subaccount signs with its own token: "
    "TWILIO_AUTH_TOKEN and TWILIO_ACCOUNT_SID have to be of the account that has the number."
)
FITS_NONE = (
    "It names our account and fits none of our tokens at any address it may have come to: "
    "TWILIO_AUTH_TOKEN is wrong, or was changed at Twilio."
)
FORM_CHANGED = "The signature fits the address without the form: a proxy on the way changes the form or the method."
BODY_CHANGED = (
    "What arrived is not what was signed: a proxy on the way changes the body, or somebody tries the address."
)
OTHER_BODY = "The signature cannot be checked for such a body: no webhook of ours is sent so."
SECRET_UNSET = "OPENAI_WEBHOOK_SECRET cannot be used: it has to be the secret of the endpoint, with whsec_ in front."  # noqa: S105
PREFIX_LOST = "It fits the secret with whsec_ in front: write OPENAI_WEBHOOK_SECRET with its prefix."
ANOTHER_ENDPOINT = (
    "It fits none of our secrets. Each endpoint of each project has its own: OPENAI_WEBHOOK_SECRET "
    "is another one's, or was changed."
)
CLOCK = (
    "The signature is right, the time is more than 5 minutes {way}: the clock of this machine is wrong, "
    "or an old delivery was sent again."
)


@dataclass(frozen=True, slots=True)
class Carried:
    """A request of the carrier as it came."""

    public_url: str
    """What `PUBLIC_URL` says."""
    path: str
    """With the query."""
    method: str
    params: Mapping[str, list[str]]
    body: bytes
    headers: Mapping[str, str]


def of_carrier(reason: str, came: Carried, *, tokens: Sequence[str], account: str) -> str:
    """The likely cause of a refusal by `signature.verify`, in a sentence or two; `account` is ours."""
    given = {name.lower(): value for name, value in came.headers.items()}
    if reason == signature.MISSING:
        return HEADER_LOST if given.get("user-agent", "").startswith("TwilioProxy") else STRANGER.format(who="Twilio")
    if reason == signature.NO_TOKEN:
        return TOKEN_UNSET
    if reason != signature.NO_MATCH:
        return BODY_CHANGED if "bodySHA256" in reason else OTHER_BODY
    for base in _bases(came.public_url, given):
        if _fits(replace(came, public_url=base), tokens):
            return f"The signature fits {base[:80]}, so PUBLIC_URL ({came.public_url[:80]}) is wrong. Set it to that."
    if _fits(replace(came, params={}, body=b""), tokens):
        return FORM_CHANGED
    named = (came.params.get("AccountSid") or [""])[-1]
    if not named:
        return STRANGER.format(who="Twilio")
    return FITS_NONE if named == account else ANOTHER_ACCOUNT


def of_openai(reason: str, *, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The likely cause of a refusal by `webhook.verify`, in a sentence or two."""
    if reason == webhook.NO_SECRET:
        return SECRET_UNSET
    if reason in (webhook.TOO_OLD, webhook.TOO_NEW):
        return CLOCK.format(way="ago" if reason == webhook.TOO_OLD else "ahead")
    if reason != webhook.NO_MATCH:
        return STRANGER.format(who="OpenAI")
    bare = [f"whsec_{secret}" for secret in secrets if not secret.startswith("whsec_")]
    return PREFIX_LOST if bare and _is_signed(bare, headers, body, now) else ANOTHER_ENDPOINT


def _bases(public_url: str, given: Mapping[str, str]) -> Iterator[str]:
    """Addresses under which the request may have been sent to us: as it says itself, and as the proxies say."""
    first = {name: given.get(name, "").split(",")[0].strip() for name in ("x-forwarded-host", "x-forwarded-proto")}
    prefix = given.get("x-forwarded-prefix", "").rstrip("/")
    public = urlsplit(public_url)
    hosts = dict.fromkeys((first["x-forwarded-host"], given.get("host", ""), public.netloc))
    hosts |= dict.fromkeys(host.partition(":")[0] for host in hosts)
    for host in filter(None, hosts):
        for scheme in dict.fromkeys(filter(None, (first["x-forwarded-proto"], "https", "http"))):
            yield from (f"{scheme}://{host}{way}" for way in dict.fromkeys(("", prefix, public.path)))


def _fits(came: Carried, tokens: Sequence[str]) -> bool:
    try:
        signature.verify(
            tokens,
            url=came.public_url + came.path,
            method=came.method,
            params=came.params,
            body=came.body,
            headers=came.headers,
        )
    except signature.BadSignature:
        return False
    return True


def _is_signed(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    try:
        webhook.verify(secrets, headers=headers, body=body, now=now)
    except webhook.StaleTimestamp:
        return True
    except webhook.BadSignature:
        return False
    return True
