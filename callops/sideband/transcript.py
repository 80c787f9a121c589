"""The fold of a sideband's frames into turns: pure, in conversation order, safe against repetition and lost ends."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from callops.sideband.conversation import Conversation
from callops.sideband.steps import PIECES, STEPS, grow, step
from callops.sideband.turns import Change, TurnState
from callops.sideband.wire import FrameLike, is_delta, worth_a_row

__all__ = ["Change", "ToolCall", "Transcript", "TurnState", "UnreadableFold", "is_delta", "is_piece", "worth_a_row"]

_ITEM_DONE: Final = frozenset({"conversation.item.done", "response.output_item.done"})


class UnreadableFold(ValueError):
    """The stored state of a fold was not written by this version's `Transcript.dump`."""


class ToolCall(msgspec.Struct, frozen=True):
    """A function the assistant asks the application to run; `arguments_json` is the model's text, not yet parsed."""

    name: str
    call_id: str
    arguments_json: str
    item_id: str


def is_piece(frame_type: str) -> bool:
    """Whether frames of this type bring a piece of a text and nothing else: most frames of a call do."""
    return frame_type in PIECES


class Transcript:
    """What was said on one call so far: frames go in by `fold`, turns come out by `turns` or `turn`."""

    def __init__(self, talk: Conversation | None = None) -> None:
        self._talk = talk or Conversation()

    def fold(self, frame: FrameLike, at: datetime) -> Change | None:
        """Take one frame that arrived at `at` (aware); null when no turn changed by it."""
        if is_piece(frame.type):
            return Change((frame.item_id,)) if self.grow(frame, at) and frame.item_id else None
        taken = STEPS.get(frame.type)
        return None if taken is None else step(self._talk, frame, at, taken)

    def grow(self, frame: FrameLike, at: datetime) -> bool:
        """The short way for a piece (`is_piece`), which can change nothing but its own turn; whether it did."""
        talk = self._talk
        if talk.asides and talk.is_aside(frame.response_id, frame.item_id):
            return False
        return grow(talk, frame, at, PIECES[frame.type])

    def turns(self) -> list[TurnState]:
        """Every turn in conversation order."""
        turns = (self._talk.turn(item_id) for item_id in self._talk.ordering.order)
        return [turn for turn in turns if turn is not None]

    def turn(self, item_id: str) -> TurnState | None:
        """One turn; null when the item is unknown, not something said, or gone."""
        return self._talk.turn(item_id)

    def position(self, item_id: str) -> int:
        """The item's rank in the conversation: ranks have gaps and hold until a change says `reordered`.

        Raises KeyError for an item no frame has named.
        """
        return self._talk.ordering.ranks[item_id]

    def close(self, at: datetime) -> list[str]:
        """The socket dropped at `at`: every unfinished turn is final with what was collected, and partial unless its
        whole text is known (contract OpenAI 4.3). The turns this touched, in order; their detail has `dropped_at`.

        A whole text that comes after a re-attach still replaces what was collected.
        """
        touched = []
        self._talk.stops = dict.fromkeys(self._talk.stops, -1)
        for item_id in self._talk.ordering.order:
            item = self._talk.items.get(item_id)
            if item is not None and item.visible and not item.final:
                item.drop_line(at)
                touched.append(item_id)
        return touched

    def dump(self) -> bytes:
        """Everything a successor needs to go on where this fold stopped."""
        return msgspec.msgpack.encode(self._talk)

    @classmethod
    def load(cls, state: bytes) -> Transcript:
        """The fold that was dumped; empty bytes give a new one. Raises UnreadableFold."""
        if not state:
            return cls()
        try:
            return cls(msgspec.msgpack.decode(state, type=Conversation))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnreadableFold(str(error)) from error

    def finished_call(self, frame: FrameLike) -> ToolCall | None:
        """The function call that this frame completes: each call_id once, never one cut short, answered or out of band.

        `function_call_arguments.done` may lack the name (contract OpenAI 4.6): then the item's counts, and when that
        was not seen either, the item's own `done` brings the call. May be asked before or after `fold`.
        """
        call = self._called(frame)
        if call is None or call.call_id in self._talk.reported or call.call_id in self._talk.outputs:
            return None
        if self._talk.is_aside(frame.response_id, call.item_id):
            return None
        self._talk.reported.add(call.call_id)
        return call

    def _called(self, frame: FrameLike) -> ToolCall | None:
        if frame.type == "response.function_call_arguments.done":
            known = self._talk.items.get(frame.item_id or "")
            detail = known.detail if known is not None else {}
            name, call_id = frame.name or detail.get("name"), frame.call_id or detail.get("call_id")
            return _call(name, call_id, frame.arguments, frame.item_id)
        item = frame.item if frame.type in _ITEM_DONE else None
        if item is None or item.type != "function_call" or item.status == "incomplete":
            return None
        return _call(item.name, item.call_id, item.arguments, item.id)


def _call(name: str | None, call_id: str | None, arguments: str | None, item_id: str | None) -> ToolCall | None:
    return ToolCall(name, call_id, arguments or "", item_id or "") if name and call_id else None
