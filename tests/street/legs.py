"""What stands on the street: the caller's leg, the legs it dials, and the requests the carrier has yet to make."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from tests.webhooks.carrier import query_of

RING_S = 25.0
"""A human dial of 20 s ends after 25: the carrier adds about five (contract Twilio 2.1)."""
AI_RING_S = 13.0
PAUSE_S = 3.0
ENDS = {"busy": "486", "no-answer": "480", "failed": "503"}
"""The SIP code of an INVITE that came to this end (contract Twilio 8)."""


@dataclass
class Child:
    """A leg that a `<Dial>` on the caller's leg made; `bridged` once it was connected with the caller."""

    sid: str
    role: str
    status_url: str
    status: str = "initiated"
    sequence: int = 0
    bridged: bool = False

    @property
    def is_over(self) -> bool:
        return self.status not in ("initiated", "ringing", "in-progress")


@dataclass
class Dial:
    """A `<Dial>` being run on the caller's leg; `held` is the AI's dial a REFER left waiting (contract Twilio 2.3)."""

    child: Child
    action: str
    refer_url: str
    rings_until: datetime
    way: str
    """By which way the caller got to this document: refer, redirect, dial_action, or nothing for the first one."""
    following: list[Child] = field(default_factory=list)
    """Whom the same document rings next when this one does not answer (`sequential`)."""
    held: Dial | None = None
    referring: bool = False


@dataclass
class Hold:
    """`<Pause>` and then `<Redirect>`."""

    until: datetime
    url: str
    way: str


@dataclass
class Wait:
    """The caller hears nothing until a document is fetched; `held` as in `Dial`."""

    token: str
    held: Dial | None = None


@dataclass
class Over:
    """The caller's leg has ended; `why` tells how: caller, goodbye, apology, operator, or lost and what was heard."""

    why: str


Doing = Dial | Hold | Wait | Over


@dataclass
class Delivery:
    """One signed request the carrier will make. Its answer is run when the caller still waits for this very request."""

    label: str
    url: str
    params: dict[str, str]
    token: str
    way: str = ""
    steers: bool = False
    after: str = ""
    """A request that must have been made before: a redirect's document follows the ignored `action` (3.2)."""
    heard: bool = True
    """False once the request was made and its answer lost on the way: it will be made again."""


@dataclass
class Seen:
    """What happened on the street, for the invariants."""

    dialled: list[tuple[str, str, str]] = field(default_factory=list)
    """Human dials: transfer's address (or rescue), way, the child's sid."""
    rescues: set[str] = field(default_factory=set)
    """Legs to a line's fallback."""
    bridged: list[tuple[str, str, str]] = field(default_factory=list)
    refer_requests: int = 0
    redirect_documents: int = 0
    bridges_told: int = 0
    purposes: set[str] = field(default_factory=set)
    """Who decided to end the call, if anybody did."""

    def note(self, delivery: Delivery) -> None:
        """What the carrier has now told us by this request."""
        if delivery.label == "referUrl":
            self.refer_requests += 1
        if delivery.label == "document" and query_of(delivery.url).get("via") == "redirect":
            self.redirect_documents += 1
        if delivery.label == "human in-progress" or delivery.params.get("DialBridged") == "true":
            self.bridges_told += "transfers/" in delivery.url


def dials(doing: Doing) -> list[Dial]:
    """The dial being run and the one it holds."""
    held = doing.held if isinstance(doing, (Dial, Wait)) else None
    return [dial for dial in (doing, held) if isinstance(dial, Dial)]


def attempt_of(dial: Dial) -> str:
    """The transfer whose document this is, by its token; the rescue's path for anything else."""
    path = urlsplit(dial.action).path
    return path.split("/")[3] if "/transfers/" in path else path


def outcome(child: Child) -> dict[str, str]:
    """What an `action` says of the leg that was dialled (contract Twilio 2.2)."""
    return {
        "DialCallStatus": "completed" if child.bridged else child.status,
        "DialCallSid": child.sid,
        "DialBridged": "true" if child.bridged else "false",
        "DialSipResponseCode": ENDS.get(child.status, "200") if child.role == "ai" else "",
    }
