"""The doors of the house and what each of them takes: size, time and rate. One table; docs/security.md shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KB: Final = 1024
IDLE_S: Final = 60
"""How long a connection may stand open between two requests."""
HEADERS_S: Final = 10.0
"""From the first byte of a request to the end of its headers."""
COMMANDS_A_MINUTE: Final = 600
"""Commands over the API by one person, counted in each process."""
ADDRESSES: Final = 10_000
"""Of how many people and addresses the requests of one minute are counted apart."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where others come in. Rates are counted in each process; `None` is no limit."""

    name: str
    paths: tuple[str, ...]
    """How the addresses behind it begin."""
    body: int
    """Bytes; at the sockets, of one message from a browser. More is 413, and there the end of the socket."""
    body_s: float
    """From the end of the headers to the end of the body, in seconds; later is 408."""
    a_minute: int | None
    """Requests by one signed-in person or token, or one address when nobody is signed in. More is 429."""
    bad_a_minute: int | None
    """Refused for their signature or token, by one address; what comes after them is 429, except what is genuine."""
    at_once: int | None
    """Requests in work at the same time, counted in each process. More is 503, before any work is done for one."""


TWILIO: Final = Door("Twilio", ("/twiml/",), 256 * KB, 10, None, 600, None)
OPENAI: Final = Door("OpenAI", ("/webhooks/",), 256 * KB, 10, None, 600, None)
API: Final = Door("API", ("/api/",), 256 * KB, 20, 3000, 600, 100)
SIGN_IN: Final = Door("sign-in", ("/login/", "/account/"), 64 * KB, 10, 300, None, 50)
SOCKETS: Final = Door("sockets", ("/ws/",), 4 * KB, 10, 600, None, 20)
PROBES: Final = Door("probes", ("/healthz", "/readyz", "/metrics"), 1 * KB, 10, 600, None, 20)
PAGES: Final = Door("pages", ("/",), 256 * KB, 20, 3000, None, 200)
DOORS: Final = (TWILIO, OPENAI, API, SIGN_IN, SOCKETS, PROBES, PAGES)
"""The first whose paths fit an address is its door; pages are everything else."""
MACHINES: Final = frozenset({TWILIO, OPENAI, API, PROBES})
"""Nobody reads a page there: what is refused is said in one sentence."""


def door_of(path: str) -> Door:
    """The door an address is behind. Pure."""
    return next((door for door in DOORS if path.startswith(door.paths)), PAGES)


def too_big(door: Door) -> str:
    """Why something was not read, in one sentence. Pure."""
    return f"More than {door.body // KB} KB is not taken here; nothing was read and nothing was done."


FULL: Final = "Too many requests are in work at once; nothing was done. Try again in a moment."
TOO_SLOW: Final = "The request took too long to arrive; nothing was done."


def too_often(wait_s: int) -> str:
    """Why a request was not looked at, in one sentence. Pure."""
    return f"Too many requests within one minute; nothing was done. Try again in {wait_s} s."
