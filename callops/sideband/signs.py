"""The last signs of life on one session, as they are kept with each batch. Field by field a column of `AiSession`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What was last heard of caller and assistant (contract OpenAI 4.4)."""

    heard_at: datetime | None = None
    """The first word or key of the caller."""
    life_at: datetime | None = None
    busy: bool = False
    speech_began_at: datetime | None = None
    speech_ended_at: datetime | None = None
    """The caller's last words."""
    sound_began_at: datetime | None = None
    sound_ended_at: datetime | None = None
    """The last time the caller heard the assistant."""
    silence: str = ""
    silent_since: datetime | None = None
    """Who makes no sound since when (`quiet.hush`); blank while somebody does."""
    promised_item: str = ""
    promised_from: datetime | None = None
    promised_at: datetime | None = None
    """The turn in which the assistant said that it transfers, and when it began and ended (`promises`)."""

    def columns(self) -> dict[str, Any]:
        """The values as they are kept, each by its name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def caller_speaking(self) -> bool:
        return is_on(self.speech_began_at, self.speech_ended_at)

    @property
    def assistant_speaking(self) -> bool:
        return is_on(self.sound_began_at, self.sound_ended_at)


def is_on(began_at: datetime | None, ended_at: datetime | None) -> bool:
    """Whether what began last has not ended since."""
    return began_at is not None and (ended_at is None or ended_at < began_at)
