"""How fast the assistant speaks on this call, and so how much of a text was heard before it was cut off."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

USUAL_CHARS_PER_S: Final = 15.0
"""About 2.5 words per second; used until a response of this call was played to its end."""
_ENOUGH_S: Final = 1.0
_SLOWEST, _FASTEST = 2.0, 40.0


class Playback(msgspec.Struct):
    """Which responses the caller is hearing, and the pace measured on those that were heard to their end.

    `output_audio_buffer.started` and `stopped` bracket what the caller hears (contract OpenAI 4.4, 4.6). No audio
    bytes and no length are on the sideband, so characters per second of finished responses are the measure.
    """

    since: dict[str, float] = msgspec.field(default_factory=dict)
    over: set[str] = msgspec.field(default_factory=set)
    chars: int = 0
    seconds: float = 0.0

    @property
    def pace(self) -> float:
        """Characters per second."""
        return self.chars / self.seconds if self.seconds >= _ENOUGH_S else USUAL_CHARS_PER_S

    def start(self, response_id: str, at: datetime) -> None:
        """The caller begins to hear the response; said twice it counts once."""
        if response_id not in self.over:
            self.since.setdefault(response_id, at.timestamp())

    def end(self, response_id: str, at: datetime) -> float | None:
        """The sound of the response is over: the seconds it lasted, null when its start was not seen."""
        self.over.add(response_id)
        since = self.since.pop(response_id, None)
        return None if since is None else max(0.0, at.timestamp() - since)

    def measure(self, chars: int, seconds: float) -> None:
        """A text of so many characters was heard whole in so many seconds; absurd pairs are not taken."""
        if seconds >= _ENOUGH_S and _SLOWEST <= chars / seconds <= _FASTEST:
            self.chars += chars
            self.seconds += seconds


def heard_chars(text: str, heard_ms: int, pace: float) -> int:
    """How many characters of `text` fit in `heard_ms` at `pace` characters per second, down to a whole word.

    A text written without spaces is cut at the character.
    """
    cut = int(heard_ms * pace / 1000)
    if cut >= len(text):
        return len(text)
    if " " in text and not text[cut].isspace():
        cut = text.rfind(" ", 0, cut) + 1
    return len(text[:cut].rstrip())
