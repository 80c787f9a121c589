"""One call leg as the carrier knows it: its SID, its parties, where it stands."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from secrets import token_hex
from typing import Protocol

from callops.simulator.scenario import Scenario
from callops.simulator.twilio.documents import Source

ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_CALLER_GEO = {"City": "OAKLAND", "State": "CA", "Zip": "94601", "Country": "US"}
_CALLED_GEO = {"City": "SAN FRANCISCO", "State": "CA", "Zip": "94105", "Country": "US"}


class NotRedirectable(Exception):
    """The leg is not in a state in which it can be sent to another document (contract Twilio 3.5, code 21220)."""


class Actor(Protocol):
    """Whoever plays a leg: what REST and the people can do to it."""

    def redirect(self, source: Source) -> None:
        """Send the leg to another document; `NotRedirectable` when it cannot be."""

    def end(self) -> None:
        """End the leg now, as `Status=completed` does."""

    def press(self, key: str) -> None:
        """The party on this leg pressed a key."""


def new_sid(prefix: str) -> str:
    """An identifier of Twilio's form: two letters and 32 hex digits."""
    return prefix + token_hex(16)


def http_date(moment: datetime) -> str:
    """RFC 2822 in GMT as Twilio writes it, whole seconds."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0))


@dataclass(eq=False, slots=True)
class Call:
    """One leg. Moves forward only; `sequence` counts the status callbacks sent for it (contract Twilio 7)."""

    account_sid: str
    from_: str
    to: str
    direction: str
    scenario: Scenario
    parent: Call | None = None
    trunk_sid: str | None = None
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: str = "ringing"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    sequence: int = 0
    actor: Actor | None = None
    ais_dialled: int = 0
    """How many legs to the AI were made for this caller."""
    humans_dialled: int = 0
    """How many human legs were made for this caller; decides which of the scenario's humans is next."""
    redirects_failed: int = 0
    """How many redirects of this leg failed as the scenario says."""
    watchers: list[Callable[[str], None]] = field(default_factory=list)
    """Told what befalls the caller: see `people`."""

    @property
    def ended(self) -> bool:
        """Whether the leg is over."""
        return self.status in ENDED

    @property
    def caller(self) -> Call:
        """The caller's own leg, however deep this child is."""
        return self if self.parent is None else self.parent.caller

    @property
    def duration_s(self) -> int:
        """Whole seconds from the answer to the end (or to now)."""
        if self.answered_at is None:
            return 0
        return int(((self.ended_at or datetime.now(UTC)) - self.answered_at).total_seconds())

    @property
    def started_minutes(self) -> int:
        """`Duration` of a status callback: minutes begun."""
        return math.ceil(self.duration_s / 60)

    def move(self, status: str) -> bool:
        """Go on to this status; False when the leg is over already."""
        if self.ended:
            return False
        self.status = status
        self.updated_at = datetime.now(UTC)
        if status == "in-progress" and self.answered_at is None:
            self.answered_at = self.updated_at
        if status in ENDED:
            self.ended_at = self.updated_at
        return True

    def tell(self, event: str) -> None:
        """Tell those who watch the caller."""
        for watcher in list(self.caller.watchers):
            watcher(event)

    def parameters(self, status: str | None = None) -> dict[str, str]:
        """The standard parameters of every request about this leg (contract Twilio 1.1)."""
        found = {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": self.sid,
            "CallStatus": status or self.status,
            "Called": self.to,
            "Caller": self.from_,
            "Direction": self.direction if self.parent or self.direction == "outbound-api" else "inbound",
            "From": self.from_,
            "To": self.to,
        }
        if self.parent is not None:
            found["ParentCallSid"] = self.parent.sid
        if is_number(self.from_):
            found |= _geography(("From", "Caller"), _CALLER_GEO)
        if is_number(self.to):
            found |= _geography(("To", "Called"), _CALLED_GEO)
        return found


def is_number(party: str) -> bool:
    """Whether the party is an E.164 number that names somebody; withheld callers are not (contract Twilio 1.1)."""
    withheld = {"+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253"}
    return party[:1] == "+" and party[1:].isdecimal() and 4 <= len(party) <= 16 and party not in withheld


def _geography(prefixes: tuple[str, ...], places: dict[str, str]) -> dict[str, str]:
    return {prefix + name: value for prefix in prefixes for name, value in places.items()}
