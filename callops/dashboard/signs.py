"""What every page shows of the whole house: signs of life, and what is wrong. Read at most once a second a process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from callops.alerts import alarms, signs
from callops.alerts.alarms import Signs
from callops.alerts.models import Incident, Sign
from callops.core import room
from callops.dashboard import phrases

LITTLE_GB = 0.5
FULL_GB = 0.02
"""SQLite needs some room beside its file for what it is just writing."""
GOOD_FOR = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Notice:
    """One trouble in a supervisor's words; since when (None: that is not known), and how many calls it is about."""

    words: str
    tone: str
    shape: str
    since: datetime | None
    failed: int = 0
    calls: int = 0
    is_incident: bool = True


@dataclass(frozen=True, slots=True)
class House:
    """The signs of life, and every trouble that is open, newest first."""

    signs: Signs
    notices: tuple[Notice, ...]


_kept: tuple[datetime, House] | None = None


def house(now: datetime) -> House:
    """As it was at most a second ago. Two queries, or none."""
    global _kept
    kept = _kept
    if kept is not None and timedelta() <= now - kept[0] < GOOD_FOR:
        return kept[1]
    seen = signs.read(now)
    found = House(seen, (*disk(room.free_gb()), *notices(seen, list(Incident.objects.still_open()), now)))
    _kept = (now, found)
    return found


def forget() -> None:
    """The next reading asks the database."""
    global _kept
    _kept = None


def notices(seen: Signs, still_open: list[Incident], now: datetime) -> tuple[Notice, ...]:
    """The open troubles. That no engine runs is judged here and now: without one perhaps nobody opens an incident."""
    found = [_notice(incident) for incident in still_open if incident.about != Sign.ENGINE]
    alarm = alarms.no_engine(seen, now)
    if alarm:
        found.insert(0, Notice(phrases.TROUBLES[alarm.sign], "failed", "cross", alarm.since))
    return tuple(found)


def disk(free_gb: float | None) -> tuple[Notice, ...]:
    """What is to be said of the disk of the database: nothing while there is room. Pure."""
    if free_gb is None or free_gb >= LITTLE_GB:
        return ()
    if free_gb < FULL_GB:
        return (Notice(phrases.DISK_FULL, "failed", "cross", None, is_incident=False),)
    return (Notice(phrases.DISK_NEARLY_FULL, "look", "triangle", None, is_incident=False),)


def _notice(incident: Incident) -> Notice:
    chip = phrases.incident_chip(incident)
    words = phrases.TROUBLES[incident.subject]
    return Notice(words, chip.tone, chip.shape, incident.began_at, incident.failed, incident.calls)
