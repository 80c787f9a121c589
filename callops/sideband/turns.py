"""One item of the conversation while it is being said, and the turn it makes for a reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from callops.sideband.playback import heard_chars

CALLER: Final = "caller"
ASSISTANT: Final = "assistant"
OPERATOR: Final = "operator"
TOOL: Final = "tool"


@dataclass(slots=True)
class TurnState:
    """One line of the transcript as far as it is known.

    `final`: nothing more is expected. `partial`: the text is not all that was said, because the socket dropped or
    came late. `heard_chars`: how much the caller heard before the assistant was cut off; null means all of it.
    """

    item_id: str
    speaker: str
    text: str
    final: bool
    partial: bool
    heard_chars: int | None
    started_at_ms: int
    """Milliseconds since the epoch, when the first frame about the item arrived."""
    detail: dict[str, Any]

    @property
    def started_at(self) -> datetime:
        """`started_at_ms` as an aware time in UTC."""
        return datetime.fromtimestamp(self.started_at_ms / 1000, UTC)


class Change(msgspec.Struct, frozen=True):
    """What one frame changed: turns with new content, those of them now final, turns gone, and whether others moved."""

    turns: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reordered: bool = False


class Part(msgspec.Struct):
    """One content part: pieces as they come, until the whole text replaces them and later pieces are ignored."""

    chunks: list[str] = msgspec.field(default_factory=list)
    seen: set[str] = msgspec.field(default_factory=set)
    whole: bool = False

    @property
    def text(self) -> str:
        """The whole text word for word, or the pieces so far without the leading space (contract OpenAI 4.6)."""
        if len(self.chunks) > 1:
            self.chunks[:] = ["".join(self.chunks)]
        text = self.chunks[0] if self.chunks else ""
        return text if self.whole else text.lstrip()

    def replace(self, text: str) -> None:
        """The text is exactly this, whatever the pieces were."""
        self.chunks[:] = [text]
        self.seen.clear()
        self.whole = True


class Item(msgspec.Struct):
    """What is known about one item. `speaker` is empty for items nobody says: system texts, tool outputs."""

    at_ms: int
    speaker: str = ""
    response_id: str = ""
    added: bool = False
    """It is in the conversation, not only in a response."""
    begun: bool = False
    """Its beginning was seen, so the pieces are complete from the first on."""
    shown: bool = False
    gone: bool = False
    final: bool = False
    dropped: bool = False
    """The socket dropped while it was being said."""
    parts: dict[int, Part] = msgspec.field(default_factory=dict)
    heard_ms: int | None = None
    heard_part: int = 0
    heard_pace: float = 0.0
    detail: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def visible(self) -> bool:
        """Whether it is a turn: something was said, or an error stands in its place."""
        return self.shown and not self.gone

    @property
    def complete(self) -> bool:
        """Whether every part's whole text is known."""
        parts = self.parts
        if len(parts) == 1:  # as nearly always
            return next(iter(parts.values())).whole
        return bool(parts) and all(part.whole for part in parts.values())

    @property
    def partial(self) -> bool:
        """Whether pieces at the beginning or the end were missed and the whole text never came."""
        return not self.complete and (self.dropped or not self.begun)

    @property
    def text(self) -> str:
        """What was said; a tool call as `name(arguments)`."""
        said = self._before(None)
        return f"{self.detail.get('name', '')}({said})" if self.speaker == TOOL else said

    def part(self, index: int | None) -> Part:
        """The content part, made when it is new."""
        return self.parts.setdefault(index or 0, Part())

    def replace(self, index: int | None, text: str) -> None:
        """The part's text is exactly this, word for word; what was missed or mistaken before is mended."""
        self.part(index).replace(text)
        if self.speaker == TOOL:
            self.detail["arguments"] = text
        self.detail.pop("error", None)
        if self.complete:
            self.dropped = False
            self.detail.pop("dropped_at", None)
        self.show()

    def named(self, name: str | None) -> None:
        """The tool has this name; a call without one is not shown yet."""
        if name:
            self.detail["name"] = name
            self.show()

    def show(self) -> None:
        """A turn from the first word on, and then for good."""
        if self.speaker == TOOL:
            self.shown = self.shown or "name" in self.detail
        elif self.speaker:
            self.shown = self.shown or any(chunk.strip() for part in self.parts.values() for chunk in part.chunks)

    def stopped(self, status: str | None) -> None:
        """The item's own status is kept when it says that something is missing."""
        if status == "incomplete":
            self.detail["status"] = status

    def settle(self, *, done: bool) -> None:
        """Final when nothing more is expected: the caller's words when recognised, all others when the item is done."""
        if self.speaker == CALLER:
            self.final = self.final or self.complete
        elif self.speaker:
            self.final = self.final or done or self.speaker == OPERATOR

    def drop_line(self, at: datetime) -> None:
        """The socket dropped while this was being said: what was collected is all there is for now."""
        self.final = self.dropped = True
        self.detail["dropped_at"] = at.isoformat()

    def cut_off(self, heard_ms: int, part: int, pace: float) -> None:
        """The caller heard so much of this part and nothing after it."""
        self.heard_ms, self.heard_part, self.heard_pace = heard_ms, part, pace

    def heard(self) -> int | None:
        """Characters of `text` the caller heard, estimated by the pace of speech; null: it was not cut off."""
        if self.heard_ms is None:
            return None
        before = self._before(self.heard_part)
        cut = self.parts.get(self.heard_part)
        heard = heard_chars(cut.text, self.heard_ms, self.heard_pace) if cut else 0
        return heard + (len(before) + 1 if before and heard else len(before))

    def state(self, item_id: str) -> TurnState:
        """The turn as a reader sees it now."""
        return TurnState(
            item_id, self.speaker, self.text, self.final, self.partial, self.heard(), self.at_ms, dict(self.detail)
        )

    def _before(self, index: int | None) -> str:
        if index is None and len(self.parts) == 1:
            return next(iter(self.parts.values())).text
        texts = (part.text for at, part in sorted(self.parts.items()) if index is None or at < index)
        return " ".join(filter(None, texts))
