"""The URI of a `<Sip>` noun and the headers it carries (contract Twilio 2.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

MAX_URI = 255
MAX_HEADERS = 1024
NAMED = frozenset({"user-to-user", "remote-party-id", "p-preferred-identity", "p-called-party-id"})
_URI = re.compile(r"sip:(?:(?P<user>[^@;?\s]+)@)?(?P<host>[A-Za-z0-9.:\[\]-]+)(?P<parameters>(?:;[^?\s;]+)*)\Z")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+\Z")


class DialRefused(Exception):
    """A noun that Twilio does not dial; `code` is the alert's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class SipUri:
    """A URI that may be dialled: without its headers, and they decoded, in order."""

    uri: str
    user: str
    host: str
    secure: bool
    headers: tuple[tuple[str, str], ...]

    @property
    def is_openai(self) -> bool:
        """Whether the AI answers there: a project of OpenAI, in whatever region."""
        return self.user.startswith("proj_") or self.host.lower().endswith(".api.openai.com")


def read_sip_uri(text: str) -> SipUri:
    """The URI as Twilio understands it; `DialRefused` with 13224, 13252, 13253 or 13255 when it does not dial it."""
    uri, _, headers = text.strip().partition("?")
    match = _URI.match(uri)
    if match is None or len(uri) >= MAX_URI:
        raise DialRefused(13224, f"Dial: invalid SIP URI {uri[:80]!r}")
    if match["host"].lower().endswith(".sip.twilio.com"):
        raise DialRefused(13255, "Dial: .sip.twilio.com is not dialable")
    if len(headers) >= MAX_HEADERS:
        raise DialRefused(13253, "Dial: SIP header too long")
    parameters = match["parameters"].lower().split(";")
    secure = "secure=true" in parameters
    return SipUri(uri, match["user"] or "", match["host"], secure, _headers(headers))


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    found = []
    for pair in filter(None, text.split("&")):
        raw_name, _, value = pair.partition("=")
        name = unquote(raw_name)
        if not _HEADER_NAME.match(name) or not (name.lower().startswith("x-") or name.lower() in NAMED):
            raise DialRefused(13252, f"Dial: invalid SIP header name {name!r}")
        found.append((name, unquote(value)))
    return tuple(found)
