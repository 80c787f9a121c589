"""What each type of frame means for the conversation: one small step per type, and the tables that name them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from callops.sideband.conversation import Conversation, Press
from callops.sideband.turns import ASSISTANT, CALLER, TOOL, Change
from callops.sideband.wire import FrameLike

_CUT_SHORT: Final = frozenset({"failed", "cancelled", "incomplete"})


class Step(NamedTuple):
    """`subjects` are the items the frame is about; `act` learns from it and tells whether known items moved."""

    subjects: Callable[[Conversation, FrameLike], list[str]]
    act: Callable[[Conversation, FrameLike, datetime], bool]


def grow(talk: Conversation, frame: FrameLike, at: datetime, speaker: str) -> bool:
    """Take a piece of text; whether a turn changed. Pieces have no sequence number: each counts once, as it comes."""
    item_id, delta = frame.item_id, frame.delta
    if not item_id or not delta:
        return False
    item = talk.items.get(item_id) or talk.item(item_id, at)
    part = item.parts.get(frame.content_index or 0) or item.part(frame.content_index)
    if part.whole or frame.event_id in part.seen:
        return False
    if frame.event_id:
        part.seen.add(frame.event_id)
    part.chunks.append(delta)
    if not item.shown:
        item.speaker = item.speaker or speaker
        item.response_id = item.response_id or frame.response_id or ""
        item.show()
    return item.visible


def step(talk: Conversation, frame: FrameLike, at: datetime, taken: Step) -> Change | None:
    """Take one step and tell what it changed; null when it told nothing new."""
    if talk.is_aside(frame.response_id, _item_id(frame)):
        return None
    ids = taken.subjects(talk, frame)
    before = [talk.turn(item_id) for item_id in ids]
    reordered = taken.act(talk, frame, at)
    return talk.changes(ids, before, reordered=reordered)


def _item_id(frame: FrameLike) -> str | None:
    return frame.item.id if frame.item is not None else frame.item_id


def _the_item(talk: Conversation, frame: FrameLike) -> list[str]:
    item_id = _item_id(frame)
    answered = talk.of_call(frame.item.call_id) if frame.item is not None and item_id else []
    return [item_id, *(known for known in answered if known != item_id)] if item_id else []


def _the_response(talk: Conversation, frame: FrameLike) -> list[str]:
    return talk.of_response(frame.response.id if frame.response is not None else frame.response_id)


def _next_press(talk: Conversation, _frame: FrameLike) -> list[str]:
    return [f"dtmf-{len(talk.presses) + 1}"]


def _added(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """In the conversation, after `previous_item_id`, which is right on `.added` (contract OpenAI 4.4)."""
    if frame.item is None or not frame.item.id:
        return False
    item = talk.item(frame.item.id, at)
    item.added = True
    talk.absorb(item, frame.item, done=False)
    item.begun = item.begun or item.speaker != CALLER
    return talk.ordering.place(frame.item.id, frame.previous_item_id)


def _done(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """Finished, with its whole text; what `.done` says about order is not used (contract OpenAI 4.4)."""
    if frame.item is not None and frame.item.id:
        talk.absorb(talk.item(frame.item.id, at), frame.item, done=True)
    return False


def _begun(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """A response begins an item or a part of one, so its pieces are seen from the first on."""
    if item_id := _item_id(frame):
        item = talk.item(item_id, at)
        item.begun = True
        item.response_id = frame.response_id or item.response_id
        if frame.item is not None:
            talk.absorb(item, frame.item, done=False)
    return False


def _speech(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """The caller begins to speak, or stayed silent too long."""
    if frame.item_id:
        item = talk.item(frame.item_id, at)
        item.speaker, item.begun = item.speaker or CALLER, True
        talk.stops.setdefault(frame.item_id, 0)
    return False


def _stopped(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """The caller stopped speaking and waits for an answer from now on."""
    if frame.item_id and not talk.stops.get(frame.item_id):
        talk.stops[frame.item_id] = int(at.timestamp() * 1000)
    return False


def _committed(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """The caller's speech has its place; `.added` follows and has the last word."""
    if not frame.item_id:
        return False
    item = talk.item(frame.item_id, at)
    item.speaker = item.speaker or CALLER
    if item.added or not frame.previous_item_id:
        return False
    return talk.ordering.place(frame.item_id, frame.previous_item_id)


def _whole(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """A part's whole text as generated or recognised replaces its pieces word for word."""
    source = frame.part or frame
    text = source.text if source.transcript is None else source.transcript
    if frame.item_id and text is not None:
        item = talk.item(frame.item_id, at)
        item.speaker = item.speaker or (CALLER if frame.type in _HEARD else ASSISTANT)
        item.response_id = frame.response_id or item.response_id
        item.replace(frame.content_index, text)
        item.settle(done=False)
    return False


def _arguments(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """A tool call's whole arguments; `name` may be absent (contract OpenAI 4.6)."""
    if frame.item_id and frame.arguments is not None:
        item = talk.item(frame.item_id, at)
        item.speaker = TOOL
        item.response_id = frame.response_id or item.response_id
        if frame.call_id:
            item.detail["call_id"] = frame.call_id
        item.named(frame.name)
        item.replace(0, frame.arguments)
    return False


def _unrecognised(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """The caller spoke and was not understood: a final turn without text, with the error."""
    if frame.item_id:
        item = talk.item(frame.item_id, at)
        if not (item.complete and item.text):
            item.speaker, item.shown = CALLER, True
            item.replace(frame.content_index, "")
            item.detail["error"] = msgspec.to_builtins(frame.error)
            item.settle(done=False)
    return False


def _truncated(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """The assistant was cut off: what was generated stays, what was heard is measured (contract OpenAI 4.4)."""
    if frame.item_id:
        item = talk.item(frame.item_id, at)
        item.speaker, item.final = item.speaker or ASSISTANT, True
        if frame.audio_end_ms is not None and frame.audio_end_ms != item.heard_ms:
            item.cut_off(frame.audio_end_ms, frame.content_index or 0, talk.playback.pace)
    return False


def _deleted(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    if frame.item_id:
        talk.item(frame.item_id, at)
        talk.drop(frame.item_id)
    return False


def _response_begun(talk: Conversation, frame: FrameLike, _at: datetime) -> bool:
    if frame.response is not None and frame.response.id and frame.response.conversation_id is None:
        talk.asides.add(frame.response.id)
    return False


def _response_over(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """Nothing more comes of its items; those of a response out of band were never part of the conversation."""
    _response_begun(talk, frame, at)
    for item_id in _the_response(talk, frame):
        item = talk.items[item_id]
        if frame.response is not None and talk.is_aside(frame.response.id, item_id):
            talk.drop(item_id)
            continue
        if frame.response is not None and frame.response.status in _CUT_SHORT:
            item.detail["response_status"] = frame.response.status
        item.settle(done=True)
    return False


def _playing(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    if frame.response_id:
        talk.playback.start(frame.response_id, at)
        _answered(talk, frame.response_id, at)
    return False


def _answered(talk: Conversation, response_id: str, at: datetime) -> None:
    """The caller hears an answer: how long they waited for it stands with its first words, by our receive times."""
    if response_id in talk.sounded:
        return
    talk.sounded.add(response_id)
    spoken = [talk.items[item_id] for item_id in talk.of_response(response_id)]
    first = next((item for item in spoken if item.speaker == ASSISTANT), None)
    last = next(reversed(talk.stops), "")
    if first is not None and talk.stops.get(last, 0) > 0:
        first.detail["waited_ms"] = int(at.timestamp() * 1000) - talk.stops[last]
        talk.stops[last] = -1


def _played(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """Heard to its end: the pace of speech is measured on it."""
    seconds = talk.playback.end(frame.response_id, at) if frame.response_id else None
    spoken = [item for item_id in _the_response(talk, frame) if (item := talk.items[item_id]).speaker == ASSISTANT]
    if seconds is not None and all(item.complete and item.heard_ms is None for item in spoken):
        talk.playback.measure(sum(len(item.text) for item in spoken), seconds)
    return False


def _silenced(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    """Playback was thrown away. An operator's clear has no `truncated` after it, so the time it lasted counts."""
    left = talk.playback.end(frame.response_id, at) if frame.response_id else None
    for item_id in _the_response(talk, frame):
        item = talk.items[item_id]
        if left is None or item.speaker != ASSISTANT or item.heard_ms is not None:
            continue
        length = len(item.text) / talk.playback.pace
        if left < length:
            item.cut_off(int(left * 1000), 0, talk.playback.pace)
        left = max(0.0, left - length)
    return False


def _pressed(talk: Conversation, frame: FrameLike, at: datetime) -> bool:
    if frame.event:
        talk.pressed(Press(frame.event, frame.received_at, at.timestamp()))
    return False


_TRANSCRIPTION: Final = "conversation.item.input_audio_transcription"
_HEARD: Final = frozenset({f"{_TRANSCRIPTION}.completed"})

PIECES: Final[dict[str, str]] = {
    "response.output_audio_transcript.delta": ASSISTANT,
    "response.output_text.delta": ASSISTANT,
    f"{_TRANSCRIPTION}.delta": CALLER,
    "response.function_call_arguments.delta": TOOL,
    "response.mcp_call_arguments.delta": TOOL,
}
"""Frames that bring a piece of text, and who says it."""

STEPS: Final[dict[str, Step]] = {
    "conversation.item.added": Step(_the_item, _added),
    "conversation.item.created": Step(_the_item, _added),
    "conversation.item.done": Step(_the_item, _done),
    "conversation.item.retrieved": Step(_the_item, _done),
    "conversation.item.truncated": Step(_the_item, _truncated),
    "conversation.item.deleted": Step(_the_item, _deleted),
    f"{_TRANSCRIPTION}.completed": Step(_the_item, _whole),
    f"{_TRANSCRIPTION}.failed": Step(_the_item, _unrecognised),
    "input_audio_buffer.speech_started": Step(_the_item, _speech),
    "input_audio_buffer.speech_stopped": Step(_the_item, _stopped),
    "input_audio_buffer.timeout_triggered": Step(_the_item, _speech),
    "input_audio_buffer.committed": Step(_the_item, _committed),
    "input_audio_buffer.dtmf_event_received": Step(_next_press, _pressed),
    "output_audio_buffer.started": Step(_the_response, _playing),
    "output_audio_buffer.stopped": Step(_the_response, _played),
    "output_audio_buffer.cleared": Step(_the_response, _silenced),
    "response.created": Step(_the_response, _response_begun),
    "response.done": Step(_the_response, _response_over),
    "response.output_item.added": Step(_the_item, _begun),
    "response.output_item.done": Step(_the_item, _done),
    "response.content_part.added": Step(_the_item, _begun),
    "response.content_part.done": Step(_the_item, _whole),
    "response.output_audio_transcript.done": Step(_the_item, _whole),
    "response.output_text.done": Step(_the_item, _whole),
    "response.function_call_arguments.done": Step(_the_item, _arguments),
    "response.mcp_call_arguments.done": Step(_the_item, _arguments),
}
"""Every other frame that can change a turn."""
