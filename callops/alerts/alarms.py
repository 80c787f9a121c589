"""The dead-man's switch: what is alarming about signs of life that stay away while they are expected. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from callops.alerts.models import Sign
from callops.alerts.rules import QUIET
from callops.core.beats import ENGINE_LIVES

DIALS = 3
"""So many dials of the AI in a row without any webhook are no chance."""
CALLBACKS_REST = timedelta(minutes=5)
CALLBACK_IS_DUE = timedelta(seconds=30)
"""What Twilio has to say about a session that began or ended is said long before this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """When each sign of life was last seen (None: never), and what is under way."""

    webhook_at: datetime | None = None
    callback_at: datetime | None = None
    engine_at: datetime | None = None
    engines: int = 0
    sidebands: int = 0
    """Sockets held under a lease."""
    waiting: int = 0
    """Accepted sessions whose socket nobody holds."""
    live: int = 0
    """Calls that are not over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What makes signs expected."""

    dials: tuple[datetime, ...] = ()
    """When the AI was dialled on the newest calls whose webhook is due, newest first."""
    owed_at: datetime | None = None
    """When the first AI session of a TwiML call began or ended of which Twilio told us nothing; None: there is none."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One sign that stays away, since when (None: it was never seen), and why that is alarming."""

    sign: Sign
    since: datetime | None
    because: str


def alarms(signs: Signs, traffic: Traffic, now: datetime) -> list[Alarm]:
    """Every sign that is expected and stays away."""
    found = (no_webhook(signs, traffic, now), no_callback(signs, traffic, now), no_engine(signs, now))
    return [alarm for alarm in found if alarm]


def no_webhook(signs: Signs, traffic: Traffic, now: datetime) -> Alarm | None:
    """The AI was dialled three times in a row, each webhook is due, and none has come since (contract OpenAI 5.2)."""
    dials = traffic.dials[:DIALS]
    if len(dials) < DIALS or now - dials[0] >= QUIET:
        return None
    first = min(dials)
    if signs.webhook_at is not None and signs.webhook_at >= first:
        return None
    because = "The AI was dialled on three calls in a row, and no webhook came by its deadline or later."
    return Alarm(Sign.OPENAI_WEBHOOK, signs.webhook_at, because)


def no_callback(signs: Signs, traffic: Traffic, now: datetime) -> Alarm | None:
    """An AI session began or ended on a call that Twilio carries, and Twilio has told us nothing for five minutes.

    A call that simply goes on is no reason: Twilio calls only when a leg changes (contract Twilio 7).
    """
    owed_at = traffic.owed_at
    if owed_at is None or not CALLBACK_IS_DUE <= now - owed_at < QUIET:
        return None
    if signs.callback_at is not None and now - signs.callback_at < CALLBACKS_REST:
        return None
    because = "A session began or ended at OpenAI on a call that Twilio carries, and Twilio told us nothing of it."
    return Alarm(Sign.TWILIO_REQUEST, signs.callback_at, because)


def no_engine(signs: Signs, now: datetime) -> Alarm | None:
    """No engine has looked around lately although there are calls, or sessions that wait for one."""
    if signs.engines or not (signs.live or signs.waiting):
        return None
    seconds = int(ENGINE_LIVES.total_seconds())
    because = f"No engine has looked around for {seconds} s while calls are under way."
    return Alarm(Sign.ENGINE, signs.engine_at, because)
