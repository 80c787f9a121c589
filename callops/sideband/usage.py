"""What a session has cost in tokens so far, by kind, as the frames say it, and what is known to be missing. Pure.

Every finished response counts, cancelled ones and those beside the conversation too; transcription is metered apart.
Cached tokens are part of the totals (contract OpenAI 8).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

TRANSCRIBED = "conversation.item.input_audio_transcription.completed"


@dataclass(slots=True)
class Usage:
    """Tokens; `*_in` are without the cached ones. `unmetered`: answers and transcripts that brought no figures."""

    text_in: int = 0
    text_cached: int = 0
    audio_in: int = 0
    audio_cached: int = 0
    image_in: int = 0
    image_cached: int = 0
    text_out: int = 0
    audio_out: int = 0
    heard_s: float = 0.0
    """Seconds of speech that were transcribed, where transcription is metered by time."""
    heard_tokens: int = 0
    responses: int = 0
    unmetered: int = 0
    running: int = 0
    """Responses that began and of which no end was seen."""
    gaps: int = 0
    """How often the connection was away while the session went on: what passed then is not counted."""

    def take(self, frame: Any) -> None:
        """One more frame."""
        if frame.type == "response.created":
            self.running += 1
        elif frame.type == "response.done":
            self.running = max(0, self.running - 1)
            self.responses += 1
            self._spent(frame.response.usage if frame.response is not None else None)
        elif frame.type == TRANSCRIBED:
            self._heard(frame.usage)

    @property
    def counts(self) -> dict[str, Any]:
        """As it is kept."""
        return {name: getattr(self, name) for name in _NAMES}

    def _spent(self, usage: dict[str, Any] | None) -> None:
        came = _part(usage, "input_token_details")
        went = _part(usage, "output_token_details")
        if not came and not went:
            self.unmetered += 1
            return
        cached = _part(came, "cached_tokens_details")
        for kind in ("text", "audio", "image"):
            again = _count(cached, f"{kind}_tokens")
            _add(self, f"{kind}_cached", again)
            _add(self, f"{kind}_in", max(0, _count(came, f"{kind}_tokens") - again))
        self.text_out += _count(went, "text_tokens")
        self.audio_out += _count(went, "audio_tokens")

    def _heard(self, usage: dict[str, Any] | None) -> None:
        if usage and isinstance(usage.get("seconds"), int | float):
            self.heard_s += float(usage["seconds"])
        elif usage and _count(usage, "total_tokens"):
            self.heard_tokens += _count(usage, "total_tokens")
        else:
            self.unmetered += 1


_NAMES = tuple(field.name for field in fields(Usage))


def _part(value: dict[str, Any] | None, name: str) -> dict[str, Any]:
    part = (value or {}).get(name)
    return part if isinstance(part, dict) else {}


def _count(value: dict[str, Any], name: str) -> int:
    count = value.get(name)
    return count if isinstance(count, int) and count > 0 else 0


def _add(usage: Usage, name: str, count: int) -> None:
    setattr(usage, name, getattr(usage, name) + count)
