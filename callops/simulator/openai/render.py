"""Turns words into the events of a response or of a caller's turn, in the recorded order (contract OpenAI 4.4)."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, replace
from typing import Any

from callops.simulator.openai import ids
from callops.simulator.openai.cues import Cue, Gate, Json
from callops.simulator.openai.ledger import WORDS_PER_S, message_done, server_event

TOKEN_EVERY_S = 0.105
ARGUMENT_EVERY_S = 0.018
FIRST_SOUND_S = 0.59
"""From `response.created` to `output_audio_buffer.started`."""
MEDIA_AHEAD_S = 0.559
"""The session's audio clock runs since the media started, before the sideband opened."""


@dataclass(frozen=True, kw_only=True)
class Speech:
    """What one response says and which tool it calls, if any."""

    words: str = ""
    tool: str | None = None
    arguments: Json | None = None
    written: bool = False
    """Text instead of sound."""
    apart: bool = False
    """Out of band: not part of the conversation."""
    metadata: Json | None = None


@dataclass(frozen=True)
class Block:
    """The cues of one response and its three moments."""

    cues: tuple[Cue, ...]
    response_id: str
    call_id: str | None
    sounds_from_s: float
    generated_s: float
    silent_s: float


def tokens(words: str) -> list[str]:
    """The pieces in which a transcript streams: words and punctuation, blanks in front."""
    return re.findall(r"\s*(?:[\w'\u2019]+|[^\w\s])", words)


def seconds_of(words: str) -> float:
    """How long the words take to say."""
    return max(0.6, len(words.split()) / WORDS_PER_S)


def padded(delta: str) -> str:
    """The `obfuscation` that fills a delta up to a multiple of 16 characters."""
    return ids.letters(-len(delta) % 16)


def response(
    conversation_id: str, at_s: float, speech: Speech, *, gate: Gate | None = None, free_s: float = 0
) -> Block:
    """One whole response from `at_s`; its sound starts when the sound before it ended (`free_s`)."""
    return _Response(conversation_id, speech).render(at_s, gate, free_s)


class _Response:
    def __init__(self, conversation_id: str, speech: Speech) -> None:
        self.id = ids.fresh("resp_")
        self.speech = speech
        self.conversation_id = None if speech.apart else conversation_id
        self.cues: list[Cue] = []
        self.output: list[Json] = []
        self.call_id = ids.tool_call() if speech.tool else None

    def render(self, at_s: float, gate: Gate | None, free_s: float) -> Block:
        self.add(at_s, server_event("response.created", response=self.object("in_progress")), gate)
        now_s, closing = at_s + 0.21, list[Json]()
        if self.speech.words:
            now_s, closing = self.message(now_s)
        now_s += 0.26
        if self.speech.tool:
            now_s = self.function_call(now_s - 0.11, closing)
        else:
            self.close(now_s, closing)
        done = server_event("response.done", response=self.object("completed"))
        self.add(now_s + 0.008, done)
        self.add(now_s + 0.012, server_event("rate_limits.updated", rate_limits=[]))
        from_s, until_s = self.sound(at_s, free_s)
        cues = tuple(sorted(self.cues, key=lambda cue: cue.at_s))
        return Block(cues, self.id, self.call_id, from_s, now_s + 0.012, max(until_s, now_s + 0.012))

    def add(self, at_s: float, event: Json, gate: Gate | None = None, *, lasts_s: float = 0) -> None:
        if not (self.speech.apart and event["type"].startswith("conversation.")):
            self.cues.append(Cue(at_s, event, self.id, gate, lasts_s))

    def object(self, status: str) -> Json:
        """The `response` object; usage is filled in when it leaves."""
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": None,
            "output": list(self.output) if status == "completed" else [],
            "conversation_id": self.conversation_id,
            "output_modalities": ["text" if self.speech.written else "audio"],
            "max_output_tokens": "inf",
            "audio": {"output": {"format": {"type": "audio/pcmu"}, "voice": "marin"}},
            "usage": None,
            "metadata": self.speech.metadata,
        }

    def item_added(self, at_s: float, item: Json) -> None:
        index = len(self.output)
        added = {"response_id": self.id, "output_index": index, "item": item}
        self.add(at_s, server_event("response.output_item.added", **added))
        self.add(at_s + 0.001, server_event("conversation.item.added", previous_item_id=None, item=item))

    def message(self, at_s: float) -> tuple[float, list[Json]]:
        """The message up to its last delta; the moment, and its closing events."""
        words, written = self.speech.words, self.speech.written
        item = {"id": ids.fresh("item_"), "type": "message", "status": "in_progress", "role": "assistant"}
        phase = "commentary" if self.speech.tool else "final_answer"
        self.item_added(at_s, {**item, "content": [], "phase": phase})
        at = {"response_id": self.id, "item_id": item["id"], "output_index": 0, "content_index": 0}
        part = {"type": "text", "text": ""} if written else {"type": "audio", "transcript": ""}
        self.add(at_s + 0.004, server_event("response.content_part.added", **at, part=part))
        kind = "response.output_text.delta" if written else "response.output_audio_transcript.delta"
        for delta in tokens(words):
            at_s += TOKEN_EVERY_S
            self.add(at_s - 0.075, server_event(kind, **at, delta=delta, obfuscation=padded(delta)))
        content = {"type": "output_text", "text": words} if written else {"type": "output_audio", "transcript": words}
        done = {**item, "status": "completed", "content": [content], "phase": phase}
        self.output.append(done)
        return at_s, message_done(self.id, 0, done)

    def function_call(self, at_s: float, message_closing: list[Json]) -> float:
        """The tool call; the message before it closes after the last argument delta. The moment it is done."""
        index, arguments = len(self.output), json.dumps(self.speech.arguments or {}, separators=(",", ":"))
        item = {"id": ids.fresh("item_"), "type": "function_call", "status": "in_progress"}
        call = {"name": self.speech.tool, "call_id": self.call_id}
        self.item_added(at_s, {**item, **call, "arguments": ""})
        at = {"response_id": self.id, "item_id": item["id"], "output_index": index, "call_id": self.call_id}
        for delta in re.findall(r"[\s\"{}:,\[\]]+|[^\s\"{}:,\[\]]+", arguments):
            at_s += ARGUMENT_EVERY_S
            pad = padded(delta)
            self.add(at_s, server_event("response.function_call_arguments.delta", **at, delta=delta, obfuscation=pad))
        at_s = self.close(at_s + 0.038, message_closing)
        done = {**item, "status": "completed", **call, "arguments": arguments}
        self.output.append(done)
        ended = {"response_id": self.id, "output_index": index, "item": done}
        closing = [
            server_event("response.function_call_arguments.done", **at, name=call["name"], arguments=arguments),
            server_event("conversation.item.done", previous_item_id=None, item=done),
            server_event("response.output_item.done", **ended),
        ]
        return self.close(at_s, closing)

    def close(self, at_s: float, closing: list[Json]) -> float:
        for event in closing:
            self.add(at_s, event)
            at_s += 0.001
        return at_s

    def sound(self, at_s: float, free_s: float) -> tuple[float, float]:
        """Playback from the first deltas on until the words are said; nothing for text or a bare tool call."""
        if self.speech.written or not self.speech.words:
            return at_s, at_s
        lasts_s = seconds_of(self.speech.words)
        from_s = max(at_s + FIRST_SOUND_S, free_s + 0.06)
        started = server_event("output_audio_buffer.started", response_id=self.id)
        stopped = server_event("output_audio_buffer.stopped", response_id=self.id)
        self.add(from_s, started, lasts_s=lasts_s)
        self.add(from_s + lasts_s, stopped)
        return from_s, from_s + lasts_s


@dataclass(frozen=True)
class Turn:
    """The cues of a caller's turn and the moment its item is done; transcription may trail behind."""

    cues: tuple[Cue, ...]
    done_s: float


def caller_turn(at_s: float, words: str) -> Turn:
    """The caller says these words, from the moment the server hears the first sound."""
    item_id, heard_s = ids.fresh("item_"), max(1.2, seconds_of(words)) + 0.4
    stop_s = at_s + heard_s + 0.5
    about: Json = {"item_id": item_id, "content_index": 0}
    kind = "conversation.item.input_audio_transcription."
    cues = [
        Cue(at_s, server_event("input_audio_buffer.speech_started", audio_start_ms=_ms(at_s) - 300, item_id=item_id)),
        Cue(stop_s, server_event("input_audio_buffer.speech_stopped", audio_end_ms=_ms(stop_s), item_id=item_id)),
        *_committed(stop_s + 0.004, item_id),
    ]
    pieces = tokens(" " + words)
    every_s = (stop_s + 0.15 - at_s - 1.05) / max(1, len(pieces))
    for place, delta in enumerate(pieces):
        event = server_event(kind + "delta", **about, delta=delta, obfuscation=padded(delta))
        cues.append(Cue(at_s + 1.05 + place * every_s, event))
    usage = {"type": "duration", "seconds": round(heard_s + 0.8)}
    cues.append(Cue(stop_s + 0.545, server_event(kind + "completed", **about, transcript=words, usage=usage)))
    return Turn(tuple(sorted(cues, key=lambda cue: cue.at_s)), stop_s + 0.007)


def silence(at_s: float, idle_s: float) -> Turn:
    """Nobody spoke for `idle_s` since the last playback: the server commits the silence as a caller's turn."""
    item_id, end_ms = ids.fresh("item_"), _ms(at_s)
    span = {"audio_start_ms": end_ms - round(idle_s * 1000), "audio_end_ms": end_ms, "item_id": item_id}
    cues = (Cue(at_s, server_event("input_audio_buffer.timeout_triggered", **span)), *_committed(at_s + 0.003, item_id))
    return Turn(tuple(replace(cue, needs_idle_timeout=True) for cue in cues), at_s + 0.006)


def key_press(key: str) -> Json:
    """A DTMF event: no `event_id`, whole seconds (contract OpenAI 4.4)."""
    return {"type": "input_audio_buffer.dtmf_event_received", "event": key, "received_at": int(time.time())}


def _committed(at_s: float, item_id: str) -> list[Cue]:
    content = [{"type": "input_audio", "transcript": None}]
    item: dict[str, Any] = {"id": item_id, "type": "message", "status": "completed", "role": "user", "content": content}
    kept = server_event("input_audio_buffer.committed", previous_item_id=None, item_id=item_id)
    added = server_event("conversation.item.added", previous_item_id=None, item=item)
    done = server_event("conversation.item.done", previous_item_id=None, item=item)
    return [Cue(at_s, kept), Cue(at_s + 0.002, added), Cue(at_s + 0.003, done)]


def _ms(at_s: float) -> int:
    return round((at_s + MEDIA_AHEAD_S) * 1000)
