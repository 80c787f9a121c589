"""The recorded call as a score: the same events at the same times, with fresh ids.

The recording is one call with its own client. Where it answers that client, the score has a gate:

* a client that sends the recorded kind of message opens the gate; the answer is then its own
  (its echo, its metadata) and the recorded line follows;
* a client that stays silent gets the recorded answer all the same, a moment later, so that somebody
  who only listens hears the whole recording.

Anything else a client sends is answered besides (see `floor` and `desk`).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

from callops.simulator.openai import ids
from callops.simulator.openai.cues import Cue, Gate, Json, Score

CALLER_LEAVES_S = 83.471
"""From the recording's own notes: the caller hangs up, the socket drops."""
BEGAN_AT = 1_795_192_927
FOLDER = Path(__file__).parent / "conversations"
ID = re.compile(r"\b(event|item|resp|conv|call)_([A-Za-z0-9]{16,21})\b")


def load(name: str, *, session_id: str, conversation_id: str) -> Score:
    """The recording `name` for one call; sound lengths and gates are worked out, ids are new."""
    fresh = _renamer(conversation_id)
    lines = [json.loads(fresh(line)) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]
    asks = [json.loads(line) for line in (FOLDER / f"{name}.client.jsonl").read_text().splitlines()]
    reader = _Reader([ask["t"] for ask in asks if ask["message"]["type"] == "response.create"], lines)
    shift_s = int(time.time()) - BEGAN_AT
    for line in lines:
        reader.read(line["t"], _moved(line["event"], session_id, shift_s))
    return Score(tuple(reader.cues), tuple(reader.gates), "en", CALLER_LEAVES_S, plays_unasked=True)


def _renamer(conversation_id: str) -> Callable[[str], str]:
    names: dict[str, str] = {}

    def rename(found: re.Match[str]) -> str:
        old, kind, rest = found[0], found[1], found[2]
        if kind == "conv":
            return conversation_id
        if old not in names:
            short = kind == "call" or len(rest) == 16
            makers = {"call": ids.tool_call, "event": ids.buffer_event}
            names[old] = makers[kind]() if short else ids.fresh(kind + "_")
        return names[old]

    return lambda line: ID.sub(rename, line)


def _moved(event: Json, session_id: str, shift_s: int) -> Json:
    if "session" in event:
        event["session"]["id"] = session_id
        event["session"]["expires_at"] += shift_s
    if "received_at" in event:
        event["received_at"] += shift_s
    if "previous_item_id" in event:
        event["previous_item_id"] = None
    return event


class _Reader:
    def __init__(self, asked_at: list[float], lines: list[Json]) -> None:
        self.asked_at = asked_at
        self.stops = {
            line["event"]["response_id"]: line["t"]
            for line in lines
            if line["event"]["type"] in ("output_audio_buffer.stopped", "output_audio_buffer.cleared")
        }
        self.cues: list[Cue] = []
        self.gates: list[Gate] = []
        self.owners: dict[str, str] = {}
        """The response that an item, or a tool's output, belongs to."""
        self.echoes: dict[str, Gate] = {}

    def read(self, at_s: float, event: Json) -> None:
        response_id = self._owner(event)
        lasts_s = 0.0
        if event["type"] == "output_audio_buffer.started":
            lasts_s = self.stops.get(event["response_id"], at_s + 2.0) - at_s
        self.cues.append(Cue(at_s, event, response_id, self._gate(at_s, event), lasts_s))

    def _owner(self, event: Json) -> str | None:
        item, response_id = event.get("item", {}), event.get("response_id")
        if "response" in event:
            response_id = event["response"]["id"]
        if event["type"] == "response.output_item.added":
            self.owners[item["id"]] = self.owners[item.get("call_id", item["id"])] = event["response_id"]
        return response_id or self.owners.get(item.get("id", "")) or self.owners.get(item.get("call_id", ""))

    def _gate(self, at_s: float, event: Json) -> Gate | None:
        item = event.get("item", {})
        if event["type"] == "session.updated":
            return self._new(Gate("session", at_s, waits=False))
        if event["type"] == "conversation.item.added" and item["type"] == "function_call_output":
            self.echoes[item["id"]] = self._new(Gate("output", at_s, call_id=item["call_id"]))
        if event["type"] == "conversation.item.added" and item.get("role") == "system":
            self.echoes[item["id"]] = self._new(Gate("system", at_s))
        if event["type"] == "response.created" and self.asked_at and self.asked_at[0] < at_s:
            self.asked_at.pop(0)
            return self._new(Gate("response", at_s))
        return self.echoes.get(item.get("id", ""))

    def _new(self, gate: Gate) -> Gate:
        self.gates.append(gate)
        return gate
