"""From raw frames to a batch: decode, fold, note what changed. No network, no database, no waiting."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from callops.engine import asides, rows
from callops.engine.asides import Summary
from callops.engine.discretion import Discretion
from callops.engine.hearing_acts import ActEar
from callops.providers.openai import frames
from callops.providers.openai.frames import Frame
from callops.sideband.batches import Batch
from callops.sideband.life import Life
from callops.sideband.promises import Promises, Said
from callops.sideband.signs import Signs
from callops.sideband.transcript import Change, ToolCall, Transcript, is_piece, worth_a_row
from callops.sideband.turns import ASSISTANT, TurnState
from callops.sideband.usage import Usage
from callops.supervision.progress import Told


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch to be kept, and what is to be done once it is."""

    batch: Batch
    calls: list[ToolCall]
    summaries: list[Summary]
    told: list[Told]
    """What was heard about acts of supervisors."""


class Folder:
    """One session's transcript, and the batch of what was read since the last one was taken."""

    def __init__(self, *, session_id: int, call_id: str, position_base: int, rules: Collection[str] = ()) -> None:
        self._session_id = session_id
        self.call_id = call_id
        self._base = position_base
        self._transcript = Transcript()
        self._told: set[str] = set()
        self._touched: set[str] = set()
        self._all_touched = False
        self.frames = 0
        self._life = Life()
        self._promises = Promises()
        self.calls: list[ToolCall] = []
        self.summaries: list[Summary] = []
        self.told: list[Told] = []
        self._acts = ActEar()
        self._discretion = Discretion(rules)
        self._usage = Usage()
        self._stirred = True
        """Something came since the last batch that may have changed the signs of life or what was used."""
        self.batch = self._fresh()

    def replay(self, stored: Iterable[tuple[int, bytes]]) -> None:
        """Fold what a predecessor kept; tool calls it left unanswered are asked again."""
        for at_ms, raw in stored:
            self.frames += 1
            self._fold(raw, datetime.fromtimestamp(at_ms / 1000, UTC))
        self.calls = [call for call in self.calls if not self._is_answered(call)]
        self._told.update(turn.item_id for turn in self._transcript.turns() if turn.final)
        self._touched.clear()
        self.batch = self._fresh()

    def take(self, raw: bytes, at: datetime) -> None:
        """One frame as it was read: kept as it came, and folded."""
        is_event = self._fold(raw, at)
        self.batch.frames.append((round(at.timestamp() * 1000), _line(raw, is_event=is_event)))
        self.frames += 1

    def catch_up(self, heard: Iterable[tuple[datetime, bytes]]) -> None:
        """What came while the sideband changed hands follows what was replayed; nothing was cut off in between."""
        for at, raw in heard:
            self.take(raw, at)
        self.calls = [call for call in self.calls if not self._is_answered(call)]

    def open(self, at: datetime, *, unbroken: bool = False) -> Signs:
        """The socket is open (again) from now on; the signs of life as they are now."""
        self._stirred = True
        self._life.open(at, unbroken=unbroken)
        self._usage.gaps += 1 if self.frames and not unbroken else 0
        return self._signs()

    def close(self, at: datetime) -> None:
        """The socket dropped: what was collected is final, marked partial where its end is not known."""
        for item_id in self._transcript.close(at):
            self._touched.add(item_id)
            turn = self._transcript.turn(item_id)
            self.batch.incomplete = self.batch.incomplete or bool(turn and turn.partial)
            self._tell(item_id, at)
        self._life.drop()
        self._stirred = True

    def take_batch(self) -> Taken:
        """Everything since the last time, with the present text of each changed turn; a new batch begins."""
        batch, calls, summaries, told = self.batch, self.calls, self.summaries, self.told
        for turn in self._changed(batch):
            place = self._base + self._transcript.position(turn.item_id)
            batch.turns[turn.item_id] = (place, self._discretion.shown(turn))
        if self._stirred:
            batch.signs, batch.usage = self._signs(), self._usage.counts
        self.batch, self.calls, self.summaries, self.told = self._fresh(), [], [], []
        self._touched, self._all_touched, self._stirred = set(), False, False
        return Taken(batch, calls, summaries, told)

    @property
    def playing(self) -> bool:
        """Whether the caller hears the assistant right now (contract OpenAI 4.4)."""
        return self._life.playing

    @property
    def responding(self) -> bool:
        """Whether the model is producing an answer right now."""
        return self._life.responding

    @property
    def paused(self) -> bool:
        """Whether the session answers the caller by itself no more, as it last said."""
        return self._acts.paused

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for what was read to be durable."""
        return bool(self.calls or self.summaries)

    @property
    def has_news(self) -> bool:
        wanted = self._touched or self._all_touched or self.calls or self.summaries or self.told
        return bool(wanted) or not self.batch.is_empty

    def _fold(self, raw: bytes, at: datetime) -> bool:
        try:
            frame = frames.decode(raw)
        except frames.Garbage:
            self.batch.garbage += 1
            self.batch.events.append(self._discretion.event(rows.garbage(raw, at)))
            return False
        if is_piece(frame.type):
            if self._transcript.grow(frame, at):
                self._touched.add(frame.item_id or "")
            return True
        self._step(frame, at)
        return True

    def _step(self, frame: Frame, at: datetime) -> None:
        """A frame that may change anything."""
        self._stirred = True
        if (change := self._transcript.fold(frame, at)) is not None:
            self._note(change, at)
        if (call := self._transcript.finished_call(frame)) is not None:
            self.calls.append(call)
        if (summary := asides.summary_in(frame)) is not None:
            self.summaries.append(summary)
        if worth_a_row(frame) or rows.is_note(frame):
            pressed = change.turns[0] if change and change.turns else ""
            self.batch.events.append(self._discretion.event(rows.row_of(frame, at, pressed=pressed)))
        if not asides.is_aside(frame):
            self._life.take(frame, at)
        self._usage.take(frame)
        self.told += self._acts.take(frame, at, quiet=not (self.playing or self.responding))

    def _note(self, change: Change, at: datetime) -> None:
        self._touched.update(change.turns)
        self._all_touched = self._all_touched or change.reordered
        self.batch.removed.update(change.removed)
        for item_id in change.finished:
            self._tell(item_id, at)

    def _tell(self, item_id: str, at: datetime) -> None:
        """A finished turn is on the timeline once."""
        turn = self._transcript.turn(item_id)
        if turn is not None and turn.speaker != "tool" and "whisper" not in turn.detail and item_id not in self._told:
            self._told.add(item_id)
            self.batch.events.append(rows.turn(self._discretion.shown(turn), at))
            self._discretion.said(turn)
            if turn.speaker == ASSISTANT:
                self._promises.take(Said(turn.item_id, turn.text, turn.started_at, at))

    def _changed(self, batch: Batch) -> list[TurnState]:
        """The turns that are to be kept anew: the touched ones, and those that may not show any more what they showed,
        whose facts in the batch are told anew too.
        """
        touched = self._turns(self._touched)
        if not (self._all_touched or self._discretion.completes(touched)):
            return touched
        turns = self._transcript.turns()
        anew = self._discretion.regroup(turns, self._touched)
        batch.unsaid = {item_id: turn for item_id, turn in anew.items() if item_id in self._told}
        return turns if self._all_touched else self._turns(self._touched | anew.keys())

    def _turns(self, item_ids: Iterable[str]) -> list[TurnState]:
        """Those of the items that are turns."""
        turns = map(self._transcript.turn, item_ids)
        return [turn for turn in turns if turn is not None]

    def _signs(self) -> Signs:
        return self._promises.on(self._life.signs)

    def _is_answered(self, call: ToolCall) -> bool:
        turn = self._transcript.turn(call.item_id)
        return turn is not None and "output" in turn.detail

    def _fresh(self) -> Batch:
        return Batch(session_id=self._session_id, call_id=self.call_id, first=self.frames)


def _line(raw: bytes, *, is_event: bool) -> bytes:
    """The frame on one line: as it came when it is an event, else as a JSON string."""
    if not is_event:
        return msgspec.json.encode(raw.decode("utf-8", "replace"))
    return msgspec.json.format(raw, indent=-1) if b"\n" in raw or b"\r" in raw else raw
