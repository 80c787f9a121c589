"""Silence on the line: a caller who says nothing, told apart from dead air, when the assistant owes an answer. Pure.

What the caller hears begins and ends with `output_audio_buffer.*`, not with the response, and keys are words too
(contract OpenAI 4.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from callops.sideband.signs import is_on

QUIET_AFTER = timedelta(seconds=12)
"""A pause shorter than this is part of talking."""


class Silence(StrEnum):
    CALLER = "caller"
    """The assistant spoke last, and the caller says nothing."""
    DEAD_AIR = "dead_air"
    """The caller spoke last, or nobody ever did, and the assistant does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sounds:
    """The last of each kind on one session."""

    open_at: datetime | None = None
    """When we began to listen, the last time; before it nothing is certain."""
    speech_began_at: datetime | None = None
    speech_ended_at: datetime | None = None
    key_at: datetime | None = None
    sound_began_at: datetime | None = None
    sound_ended_at: datetime | None = None
    tool_at_work: bool = False
    tool_ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hush:
    """Who is silent, and since when; a silence only once it has lasted (`judge`)."""

    whose: Silence
    since: datetime


class Kept(Protocol):
    """A hush as it is kept with the session."""

    @property
    def silence(self) -> str: ...
    @property
    def silent_since(self) -> datetime | None: ...


def hush(seen: Sounds) -> Hush | None:
    """Who makes no sound since when; None while somebody does, a tool is at work, or nobody listens yet."""
    talking = is_on(seen.speech_began_at, seen.speech_ended_at) or is_on(seen.sound_began_at, seen.sound_ended_at)
    if talking or seen.tool_at_work or seen.open_at is None:
        return None
    asked_at = _latest(seen.speech_ended_at, seen.key_at, seen.tool_ended_at)
    if seen.sound_ended_at and (asked_at is None or asked_at < seen.sound_ended_at):
        return Hush(Silence.CALLER, max(seen.sound_ended_at, seen.open_at))
    return Hush(Silence.DEAD_AIR, _latest(asked_at, seen.open_at) or seen.open_at)


def judge(kept: Kept, now: datetime) -> Hush | None:
    """The silence there is at `now`, as far as the last frames told; None: the line is as it should be."""
    if not kept.silence or kept.silent_since is None or kept.silent_since + QUIET_AFTER > now:
        return None
    return Hush(Silence(kept.silence), kept.silent_since)


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)
