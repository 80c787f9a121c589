"""Ids in the shapes the provider uses (contract OpenAI 1.1); realistic, never to be parsed by a client."""

from __future__ import annotations

import secrets
import string
import time

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
EPOCH = 1_576_800_000


def stamp(unix_s: int) -> str:
    """Five base-62 digits of the seconds since the id epoch."""
    rest, digits = unix_s - EPOCH, ""
    for _ in range(5):
        rest, digit = divmod(rest, 62)
        digits = ALPHABET[digit] + digits
    return digits


def letters(count: int) -> str:
    """That many random letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def fresh(prefix: str) -> str:
    """`event_`, `item_`, `resp_`, `conv_`, `rtc_u1_`, `sess_u1_` + 21 characters, the first five of them the time."""
    return prefix + stamp(int(time.time())) + letters(16)


def buffer_event() -> str:
    """The id of an `output_audio_buffer.*` event: another component's shape, 16 hex (contract OpenAI 4.4)."""
    return "event_" + secrets.token_hex(8)


def tool_call() -> str:
    """The key that joins a tool call to its output."""
    return "call_" + letters(16)


def dated_hex(prefix: str, unix_s: int) -> str:
    """`evt_` and `wh_`: 32 hex characters that start with the Unix second."""
    return f"{prefix}{unix_s:08x}{secrets.token_hex(2)}8190{secrets.token_hex(8)}"


def request() -> str:
    """The `x-request-id` of one HTTP answer."""
    return "req_" + secrets.token_hex(16)
