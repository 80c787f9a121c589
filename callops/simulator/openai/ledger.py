"""What the provider remembers of a conversation: items in order, the running response, tokens.

Every event passes `Ledger.enter` on its way out, which fills in what depends on what came before.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from callops.simulator.openai import ids

Json = dict[str, Any]

TOKEN_LIMIT = 15_000_000
WORDS_PER_S = 2.5
ASSISTANT_TOKENS_PER_S = 20
CALLER_TOKENS_PER_S = 10


def server_event(name: str, /, **fields: Any) -> Json:
    """A server event with a fresh id of the shape its component uses."""
    event_id = ids.buffer_event() if name.startswith("output_audio_buffer.") else ids.fresh("event_")
    return {"type": name, "event_id": event_id, **fields}


def message_done(response_id: str, index: int, item: Json) -> list[Json]:
    """The five closing events of a spoken or written message, in order (contract OpenAI 4.4, 6)."""
    content = item["content"][0]
    at = {"response_id": response_id, "item_id": item["id"], "output_index": index, "content_index": 0}
    ends = {"response_id": response_id, "output_index": index, "item": item}
    if content["type"] == "output_text":
        part = {"type": "text", "text": content["text"]}
        texts = [server_event("response.output_text.done", **at, text=content["text"])]
    else:
        part = {"type": "audio", "transcript": content["transcript"]}
        texts = [
            server_event("response.output_audio.done", **at),
            server_event("response.output_audio_transcript.done", transcript=content["transcript"], **at),
        ]
    return [
        *texts,
        server_event("response.content_part.done", part=part, **at),
        server_event("conversation.item.done", previous_item_id=None, item=item),
        server_event("response.output_item.done", **ends),
    ]


@dataclass
class ResponseSoFar:
    """A response as far as its events have left; enough to break it off in the middle."""

    response: Json
    items: dict[int, Json] = field(default_factory=dict)
    finished: set[int] = field(default_factory=set)

    @property
    def id(self) -> str:
        return str(self.response["id"])

    def feed(self, event: Json) -> None:
        """Follow one event of this response."""
        index = event.get("output_index", 0)
        match event["type"]:
            case "response.output_item.added":
                self.items[index] = copy.deepcopy(event["item"])
            case "response.content_part.added":
                kind = "output_text" if event["part"]["type"] == "text" else "output_audio"
                key = "text" if kind == "output_text" else "transcript"
                self.items[index]["content"] = [{"type": kind, key: ""}]
            case "response.output_audio_transcript.delta":
                self.items[index]["content"][0]["transcript"] += event["delta"]
            case "response.output_text.delta":
                self.items[index]["content"][0]["text"] += event["delta"]
            case "response.function_call_arguments.delta":
                self.items[index]["arguments"] += event["delta"]
            case "response.output_item.done":
                self.items[index] = event["item"]
                self.finished.add(index)

    def closing(self, reason: str) -> list[Json]:
        """The events that break it off: unfinished items end `incomplete`, then `response.done` cancelled."""
        events: list[Json] = []
        for index, item in self.items.items():
            if index not in self.finished:
                item["status"] = "incomplete"
                events += self._item_done(index, item)
        broken = {
            **self.response,
            "status": "cancelled",
            "status_details": {"type": "cancelled", "reason": reason},
            "output": list(self.items.values()),
        }
        return [*events, server_event("response.done", response=broken)]

    def _item_done(self, index: int, item: Json) -> list[Json]:
        if item.get("content"):
            return message_done(self.id, index, item)
        return [
            server_event("conversation.item.done", previous_item_id=None, item=item),
            server_event("response.output_item.done", response_id=self.id, output_index=index, item=item),
        ]


@dataclass
class Tokens:
    """What the conversation has cost so far; every response reads all of it (contract OpenAI 8)."""

    text: int = 640
    audio: int = 0
    cached_text: int = 0
    cached_audio: int = 0
    spent: int = 0

    def hear(self, seconds: float) -> None:
        """The caller spoke this long."""
        self.audio += round(seconds * CALLER_TOKENS_PER_S)

    def usage(self, response: Json) -> Json:
        """The usage of a finished response, and the conversation longer by what it said."""
        words = sum(len(_words(item).split()) for item in response["output"])
        spoken = response["output_modalities"] == ["audio"]
        text_out = round(words * 1.4) + 6
        audio_out = round(words / WORDS_PER_S * ASSISTANT_TOKENS_PER_S) if spoken else 0
        usage = self._usage(text_out, audio_out)
        if response["conversation_id"] is not None:
            self.cached_text, self.cached_audio = self.text // 64 * 64, self.audio // 64 * 64
            self.text, self.audio = self.text + text_out, self.audio + audio_out
        self.spent += usage["total_tokens"]
        return usage

    def _usage(self, text_out: int, audio_out: int) -> Json:
        cached = self.cached_text + self.cached_audio
        return {
            "total_tokens": self.text + self.audio + text_out + audio_out,
            "input_tokens": self.text + self.audio,
            "output_tokens": text_out + audio_out,
            "input_token_details": {
                "text_tokens": self.text,
                "audio_tokens": self.audio,
                "image_tokens": 0,
                "cached_tokens": cached,
                "cached_tokens_details": {
                    "text_tokens": self.cached_text,
                    "audio_tokens": self.cached_audio,
                    "image_tokens": 0,
                },
            },
            "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
        }

    def limits(self) -> list[Json]:
        """The content of `rate_limits.updated`."""
        left = TOKEN_LIMIT - self.spent
        return [{"name": "tokens", "limit": TOKEN_LIMIT, "remaining": left, "reset_seconds": 0.004}]


class Ledger:
    """Items in order, the response that is being generated, and the tokens."""

    def __init__(self) -> None:
        self.items: dict[str, Json] = {}
        self.order: list[str] = []
        self.active: ResponseSoFar | None = None
        self.tokens = Tokens()
        self._heard_from_ms = 0

    @property
    def last(self) -> str | None:
        """The id of the newest item."""
        return self.order[-1] if self.order else None

    def before(self, item_id: str) -> str | None:
        """The id of the item that stands before this one."""
        place = self.order.index(item_id)
        return self.order[place - 1] if place else None

    def find_call(self, call_id: str) -> Json | None:
        """The tool call with this key."""
        calls = (item for item in self.items.values() if item["type"] == "function_call")
        return next((item for item in calls if item["call_id"] == call_id), None)

    def enter(self, event: Json) -> Json:
        """The event with what depends on the past filled in; the ledger knows it from now on."""
        match event["type"]:
            case "conversation.item.added":
                self._add(event)
            case "conversation.item.done":
                self._finish(event)
            case "conversation.item.deleted":
                self.items.pop(event["item_id"])
                self.order.remove(event["item_id"])
            case "input_audio_buffer.committed":
                event["previous_item_id"] = self.last
            case "input_audio_buffer.speech_started":
                self._heard_from_ms = event["audio_start_ms"]
            case "input_audio_buffer.speech_stopped":
                self.tokens.hear((event["audio_end_ms"] - self._heard_from_ms) / 1000)
            case "conversation.item.input_audio_transcription.completed":
                self._transcribed(event)
            case "rate_limits.updated" if not event["rate_limits"]:
                event["rate_limits"] = self.tokens.limits()
            case _:
                self._follow(event)
        return event

    def _add(self, event: Json) -> None:
        item_id, after = event["item"]["id"], event.get("previous_item_id")
        self.items[item_id] = event["item"]
        if after in self.order:
            self.order.insert(self.order.index(after) + 1, item_id)
        elif after == "root":
            self.order.insert(0, item_id)
        else:
            self.order.append(item_id)
        event["previous_item_id"] = self.before(item_id)

    def _finish(self, event: Json) -> None:
        """Null before an assistant's message that follows a caller's (contract OpenAI 4.4, field notes)."""
        item = event["item"]
        if item["id"] in self.items:
            self.items[item["id"]] = item
            before = self.before(item["id"])
            answers = item.get("role") == "assistant" and before and self.items[before].get("role") == "user"
            event["previous_item_id"] = None if answers else before

    def _transcribed(self, event: Json) -> None:
        if item := self.items.get(event["item_id"]):
            content = [{"type": "input_audio", "transcript": event["transcript"]}]
            self.items[event["item_id"]] = {**item, "content": content}

    def _follow(self, event: Json) -> None:
        if event["type"] == "response.created" and event["response"]["conversation_id"] is not None:
            self.active = ResponseSoFar(event["response"])
        elif event["type"] == "response.done":
            if self.active is not None and self.active.id == event["response"]["id"]:
                self.active = None
            if event["response"]["usage"] is None:
                event["response"]["usage"] = self.tokens.usage(event["response"])
        elif self.active is not None and event.get("response_id") == self.active.id:
            self.active.feed(event)


def _words(item: Json) -> str:
    content = item.get("content") or [{}]
    return str(content[0].get("transcript") or content[0].get("text") or item.get("arguments", ""))
