"""All that one call's fold remembers: the items, their order, what was played, what the tools answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from callops.sideband.ordering import Ordering
from callops.sideband.playback import Playback
from callops.sideband.turns import ASSISTANT, CALLER, OPERATOR, TOOL, Change, Item, TurnState
from callops.sideband.wire import WHISPER, ItemLike

_TOOLS: Final = frozenset({"function_call", "mcp_call"})
_ONE_PRESS_S: Final = 0.04
_ONE_CLOCK_SECOND_S: Final = 2.0


class Press(msgspec.Struct, frozen=True):
    """A key the caller pressed: the sender's clock in whole seconds, and when we read it in seconds."""

    key: str
    received_at: float | None
    at: float


class Conversation(msgspec.Struct, tag_field="fold", tag="conversation-1"):
    """The state of a fold. Its methods learn facts about items; each may be told twice."""

    items: dict[str, Item] = msgspec.field(default_factory=dict)
    ordering: Ordering = msgspec.field(default_factory=Ordering)
    playback: Playback = msgspec.field(default_factory=Playback)
    asides: set[str] = msgspec.field(default_factory=set)
    """Responses out of band: no part of the conversation (contract OpenAI 4.6)."""
    outputs: dict[str, Any] = msgspec.field(default_factory=dict)
    """What the tools answered, by call_id."""
    reported: set[str] = msgspec.field(default_factory=set)
    """The call_ids of function calls that were given out."""
    presses: list[Press] = msgspec.field(default_factory=list)
    stops: dict[str, int] = msgspec.field(default_factory=dict)
    """When the caller stopped saying each item, in unix ms; zero: not yet; negative: not waited for any more."""
    sounded: set[str] = msgspec.field(default_factory=set)
    """The responses of which the caller began to hear something."""

    def item(self, item_id: str, at: datetime) -> Item:
        """The item, made when it is new; a new one stands at the end until its place is learnt."""
        item = self.items.get(item_id)
        if item is None:
            item = self.items[item_id] = Item(at_ms=int(at.timestamp() * 1000))
            self.ordering.arrive(item_id)
        return item

    def turn(self, item_id: str) -> TurnState | None:
        """The item as a turn; null when it is unknown, not something said, or gone."""
        item = self.items.get(item_id)
        return item.state(item_id) if item is not None and item.visible else None

    def of_response(self, response_id: str | None) -> list[str]:
        """The items one response made, in conversation order."""
        mine = [item_id for item_id, item in self.items.items() if response_id and item.response_id == response_id]
        return sorted(mine, key=self.ordering.ranks.__getitem__)

    def of_call(self, call_id: str | None) -> list[str]:
        """The item of a tool call, as a list of one, or empty while it was not seen."""
        return [item_id for item_id, item in self.items.items() if call_id and item.detail.get("call_id") == call_id]

    def is_aside(self, response_id: str | None, item_id: str | None) -> bool:
        """Whether a frame is about something out of band: the item's being in the conversation speaks against it."""
        if response_id not in self.asides:
            return False
        item = self.items.get(item_id or "")
        return item is None or not item.added

    def drop(self, item_id: str) -> None:
        """The item is no part of the conversation any more; its place stays, so that its followers keep theirs."""
        item = self.items[item_id]
        item.gone = True
        item.parts.clear()

    def absorb(self, item: Item, seen: ItemLike, *, done: bool) -> None:
        """Take from an item in a frame who speaks, the whole texts it brings, and whether it is finished."""
        if seen.type in _TOOLS:
            self._absorb_tool(item, seen)
        elif seen.type == "function_call_output" and seen.call_id:
            self._answer(seen.call_id, seen.output)
        elif seen.type == "message" and seen.role == "system" and (seen.id or "").startswith(WHISPER):
            _absorb_whisper(item, seen)
        elif seen.type == "message" and seen.role != "system":
            _absorb_message(item, seen)
        item.settle(done=done)

    def pressed(self, press: Press) -> str | None:
        """The id of a key press's turn, pinned to the end of the conversation; null for a repeated frame.

        Key presses carry no event id (contract OpenAI 4.4). Twice the same key with the same second on the sender's
        clock is a repetition when nobody could press so fast, or when it comes long after that second.
        """
        for known in self.presses:
            gap = press.at - known.at
            late = press.received_at is not None and gap > _ONE_CLOCK_SECOND_S
            if (known.key, known.received_at) == (press.key, press.received_at) and (gap < _ONE_PRESS_S or late):
                return None
        self.presses.append(press)
        item_id = f"dtmf-{len(self.presses)}"
        item = Item(at_ms=int(press.at * 1000), speaker=CALLER, begun=True, shown=True, final=True)
        item.replace(0, f"pressed {press.key}")
        item.detail["dtmf"] = press.key
        self.items[item_id] = item
        self.ordering.pin(item_id)
        return item_id

    def changes(self, ids: Sequence[str], before: Sequence[TurnState | None], *, reordered: bool) -> Change | None:
        """What differs from the turns before; null when nothing does."""
        pairs = [(item_id, was, self.turn(item_id)) for item_id, was in zip(ids, before, strict=True)]
        change = Change(
            turns=tuple(item_id for item_id, was, now in pairs if now is not None and now != was),
            finished=tuple(item_id for item_id, was, now in pairs if _finished(was, now)),
            removed=tuple(item_id for item_id, was, now in pairs if was is not None and now is None),
            reordered=reordered,
        )
        return None if change == _NOTHING else change

    def _absorb_tool(self, item: Item, seen: ItemLike) -> None:
        item.speaker = TOOL
        if seen.call_id:
            item.detail["call_id"] = seen.call_id
        item.named(seen.name)
        if seen.arguments or seen.status == "completed":
            item.replace(0, seen.arguments or "")
        output = seen.output if seen.output is not None else self.outputs.get(seen.call_id or "")
        if output is not None:
            item.detail["output"] = output
        item.stopped(seen.status)

    def _answer(self, call_id: str, output: Any) -> None:
        self.outputs[call_id] = output
        for item_id in self.of_call(call_id):
            self.items[item_id].detail["output"] = output


def _absorb_whisper(item: Item, seen: ItemLike) -> None:
    """A supervisor told the assistant something the caller does not hear: a turn of the operator, at its place."""
    item.speaker = OPERATOR
    item.detail["whisper"] = True
    for index, piece in enumerate(seen.content or ()):
        item.replace(index, piece.text or "")


def _absorb_message(item: Item, seen: ItemLike) -> None:
    content = seen.content or ()
    item.speaker = ASSISTANT if seen.role == "assistant" else CALLER
    if seen.role == "user" and content and all(piece.type == "input_text" for piece in content):
        item.speaker = OPERATOR
    if seen.phase:
        item.detail["phase"] = seen.phase
    for index, piece in enumerate(content):
        text = piece.transcript or piece.text
        if text and seen.status != "in_progress":
            item.replace(index, text)
        elif piece.type == "input_audio":
            item.part(index)
    item.stopped(seen.status)


def _finished(was: TurnState | None, now: TurnState | None) -> bool:
    if now is None or not now.final:
        return False
    return was is None or not was.final or (was.partial and not now.partial)


_NOTHING: Final = Change()
