"""What each setting looks like: one pure function a shape, text in, value out (or nothing, when the text is the value),
or `Misshapen` with what was wanted.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import phonenumbers
from environs import ValidationError

MOST_SECONDS = 120.0
MOST_CALLS = 10_000
MOST_DAYS = 36_500
FEWEST_MINUTES, MOST_MINUTES = 5, 10_080
PRIVACY_KEY_BYTES = 32
SESSION = "-c idle_in_transaction_session_timeout=5000 -c jit=off"
"""A process that stands still in the middle of a transaction, as a paused one does, loses it and with it its locks, so
that another can take its calls over; as long as a lease, in ms. No statement of ours is worth a tenth of a second of
compiling, which PostgreSQL spends where it overestimates one. `?options=` in the address replaces both.
"""
POOL = {"min_size": 1, "max_size": 24, "timeout": 5, "reconnect_timeout": 4}
"""Seconds until who waits for a connection is told that there is none, and until the pool stops trying by itself: its
pauses double, and whoever asks next tries at once.
"""

WANTED = {
    "SECRET_KEY": "a long random text (needed because DATABASE_URL is not SQLite)",
    "OPENAI_API_KEY": "an OpenAI API key, sk-…",
    "OPENAI_PROJECT_ID": "an OpenAI project id, proj_…",
    "OPENAI_WEBHOOK_SECRET": "the webhook's signing secret, whsec_… (several separated by spaces while rotating)",
    "TWILIO_ACCOUNT_SID": "the account's id, AC and 32 hexadecimal digits",
    "TWILIO_AUTH_TOKEN": "the account's auth token (a second one, separated by a space, while rotating)",
    "TWILIO_API_KEY_SID": "the id that belongs to TWILIO_API_KEY_SECRET, SK…",
    "ACCOUNTS": "allauth, because settings that belong to it are set",
    "OIDC_ISSUER": "the provider's address, because OIDC_… is set",
    "OIDC_CLIENT_ID": "the name that the provider of OIDC_ISSUER knows us by",
    "OIDC_CLIENT_SECRET": "the secret that belongs to OIDC_CLIENT_ID",
    "TWILIO_API_KEY_SECRET": "the secret that belongs to TWILIO_API_KEY_SID",
}
"""What to write for a variable that is missing."""


class Misshapen(ValidationError):
    """The text is not what the variable should be; the message says what is wanted and never repeats the text."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"should be {wanted}.")


def yes_or_no(text: str) -> bool:
    """1, true, yes, on / 0, false, no, off."""
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise Misshapen("1 or 0")


def seconds(text: str) -> float:
    """A positive number of seconds, at most `MOST_SECONDS`."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= MOST_SECONDS:
        raise Misshapen(f"a number of seconds above 0 and up to {MOST_SECONDS:g}, such as 4.0")
    return value


def whole_number(text: str) -> int:
    """A whole number from 1 to `MOST_CALLS`."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_CALLS:
        raise Misshapen(f"a whole number from 1 to {MOST_CALLS}, such as 250")
    return int(text)


def count(text: str) -> int:
    """A whole number from 0 to `MOST_CALLS`."""
    return 0 if text == "0" else whole_number(text)


def countries(text: str) -> tuple[str, ...]:
    """Countries by their ISO 3166 codes."""
    codes = tuple(text.upper().replace(",", " ").split())
    if not all(code in phonenumbers.SUPPORTED_REGIONS for code in codes):
        raise Misshapen("two-letter codes of countries separated by commas, such as US,CA")
    return codes


def sip_domains(text: str) -> tuple[str, ...]:
    """Host names without port or parameters."""
    names = tuple(text.lower().replace(",", " ").split())
    if not all(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", name) for name in names):
        raise Misshapen("domains separated by commas, such as pbx.example.com")
    return names


def days(text: str) -> int:
    """A whole number of days up to `MOST_DAYS`; 0: for good."""
    if not text.isascii() or not text.isdigit() or int(text) > MOST_DAYS:
        raise Misshapen(f"a whole number of days up to {MOST_DAYS}, or 0 for good")
    return int(text)


def minutes(text: str) -> int:
    """Whole minutes from `FEWEST_MINUTES` to `MOST_MINUTES`."""
    if not text.isascii() or not text.isdigit() or not FEWEST_MINUTES <= int(text) <= MOST_MINUTES:
        raise Misshapen(f"whole minutes from {FEWEST_MINUTES} to {MOST_MINUTES}, such as 720")
    return int(text)


def _split(text: str, wanted: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as wrong:
        raise Misshapen(wanted) from wrong
    return parts


def web_address(text: str) -> str:
    """An http or https address with a host, without the trailing slash."""
    wanted = "an address such as https://calls.example.com, without user, query or fragment"
    parts = _split(text, wanted)
    odd = parts.query or parts.fragment or parts.username or re.search(r"\s", text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or odd:
        raise Misshapen(wanted)
    return text.rstrip("/")


def hosts(text: str) -> tuple[str, ...]:
    """Host names separated by commas; none in an empty text."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    named = all(re.fullmatch(r"\*|\.?[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]", name) for name in names)
    if not named or (text and not names):
        raise Misshapen("host names separated by commas, without scheme, port or path")
    return names


def networks(text: str) -> tuple[str, ...]:
    """Addresses and networks separated by commas; none in an empty text."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    try:
        return tuple(str(ipaddress.ip_network(name, strict=False)) for name in names)
    except ValueError as wrong:
        raise Misshapen("addresses or networks separated by commas, such as 127.0.0.1,10.0.0.0/8") from wrong


def own_hosts(public_url: str) -> tuple[str, ...]:
    """The public host and this machine's own names."""
    public = urlsplit(public_url).hostname or ""
    if ":" in public:
        public = f"[{public}]"
    return tuple(dict.fromkeys(name for name in (public, "localhost", "127.0.0.1") if name))


def database(text: str) -> dict[str, Any]:
    """Django's settings for a SQLite file or a PostgreSQL server."""
    wanted = "sqlite:///path/to/file.sqlite3 or postgres://user:password@host:port/name"
    parts = _split(text, wanted)
    if parts.scheme == "sqlite":
        return _sqlite(text, wanted)
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in {"postgres", "postgresql"} or not name or "/" in name:
        raise Misshapen(wanted)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,  # after a restart of the server a request must not meet a connection to the old one
        "OPTIONS": {"options": SESSION, **dict(parse_qsl(parts.query)), "pool": dict(POOL)},
    }


def _sqlite(text: str, wanted: str) -> dict[str, Any]:
    path = unquote(text.removeprefix("sqlite:///"))
    if not text.startswith("sqlite:///") or not path or path.endswith("/") or ":memory:" in path:
        raise Misshapen(f"{wanted} (a database in memory cannot be shared by threads)")
    return {
        "ENGINE": "callops.core.queued_sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def redis_address(text: str) -> None:
    """A Redis address."""
    wanted = "redis://host:port/0 or rediss://host:port/0"
    parts = _split(text, wanted)
    if parts.scheme not in {"redis", "rediss", "unix"} or not (parts.hostname or parts.path):
        raise Misshapen(wanted)


def api_key(text: str) -> None:
    """One word of printable characters."""
    if not re.fullmatch(r"[!-~]+", text):
        raise Misshapen("one word of plain characters, as the provider shows it")


def project_id(text: str) -> None:
    """An OpenAI project id; it goes into the SIP URI (contract OpenAI 1)."""
    if not re.fullmatch(r"proj_[A-Za-z0-9_-]+", text):
        raise Misshapen("an OpenAI project id, proj_ and letters or digits")


def webhook_secrets(text: str) -> tuple[str, ...]:
    """One or more signing secrets (contract OpenAI 2)."""
    secrets = tuple(text.split())
    if not all(_is_webhook_secret(secret) for secret in secrets):
        raise Misshapen("whsec_ followed by base64; several separated by spaces while a secret is being rotated")
    return secrets


def _is_webhook_secret(text: str) -> bool:
    try:
        return text.startswith("whsec_") and bool(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except binascii.Error:
        return False


def sip_host(text: str) -> None:
    """Host and parameters, what follows `sip:PROJECT@`."""
    if not re.fullmatch(r"[A-Za-z0-9.\-\[\]:]+(;[A-Za-z0-9.=_-]+)*", text):
        raise Misshapen("a host with its SIP parameters, such as sip.api.openai.com;transport=tls;secure=true")


def account_sid(twilio_base_url: str) -> Callable[[str], None]:
    """The shape of an account id: exact at Twilio itself, any plain word at a compatible carrier."""
    host = urlsplit(twilio_base_url).hostname or ""
    at_twilio = host == "twilio.com" or host.endswith(".twilio.com")

    def shape(text: str) -> None:
        if not re.fullmatch(r"AC[0-9a-fA-F]{32}" if at_twilio else r"[A-Za-z0-9_-]+", text):
            raise Misshapen("the account's id, AC and 32 hexadecimal digits" if at_twilio else "the account's id")

    return shape


def auth_tokens(text: str) -> tuple[str, ...]:
    """One token, or two while rotating."""
    tokens = tuple(text.split())
    if len(tokens) > 2 or not all(re.fullmatch(r"[!-~]+", token) for token in tokens):
        raise Misshapen("one auth token, or two separated by a space while rotating")
    return tokens


def privacy_keys(text: str) -> tuple[bytes, ...]:
    """Keys of 32 bytes, the one that seals first."""
    try:
        keys = tuple(
            base64.b64decode(word, altchars=b"-_", validate=True)
            for word in text.replace("+", "-").replace("/", "_").split()
        )
    except binascii.Error:
        keys = (b"",)
    if not all(len(key) == PRIVACY_KEY_BYTES for key in keys):
        raise Misshapen("32 random bytes in base64; while keys are being changed the new one first, then the old ones")
    return keys


PARSERS: tuple[Callable[[str], Any], ...] = (
    yes_or_no,
    seconds,
    whole_number,
    days,
    minutes,
    count,
    countries,
    sip_domains,
    web_address,
    hosts,
    networks,
    database,
    webhook_secrets,
    privacy_keys,
    auth_tokens,
)
"""The shapes that make something of the text; the others only look at it."""
