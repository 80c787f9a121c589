"""Questions to the AI's session that nobody on the call hears, and how their answers are known again. Pure.

An answer out of band belongs to no conversation and is no turn; OpenAI echoes our metadata in its `response.done`
(contract OpenAI 4.6, 4.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from callops.providers.openai import client_events
from callops.providers.openai.client_events import ClientEvent
from callops.providers.openai.frames import Frame

PURPOSE = "summary"
INSTRUCTIONS = (
    "Say in one short English sentence, of at most 25 words, what the caller wants, for the colleague who is about to "
    "take the call. Plain words only: no greeting, no list, no markup."
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What the AI answered about one transfer."""

    transfer: str
    text: str


def summary_question(transfer: str) -> ClientEvent:
    """Asks for one sentence in text, beside the conversation, with the transfer's name on it."""
    return client_events.side_question(INSTRUCTIONS, metadata={"purpose": PURPOSE, "transfer": transfer})


def summary_in(frame: Frame) -> Summary | None:
    """The summary this frame brings; None for every other frame, and for an answer that failed."""
    response = frame.response
    if frame.type != "response.done" or response is None or response.status != "completed":
        return None
    named = response.metadata or {}
    if response.conversation_id is not None or named.get("purpose") != PURPOSE:
        return None
    text = " ".join(part for item in response.output or () for part in _texts(item))
    return Summary(str(named.get("transfer") or ""), text) if text.strip() else None


def is_aside(frame: Frame) -> bool:
    """Whether an answer to our own side question begins or ends here: nobody hears it, the assistant may go on."""
    return frame.response is not None and (frame.response.metadata or {}).get("purpose") == PURPOSE


def _texts(item: Any) -> list[str]:
    """The text parts of one output item, whatever else it holds."""
    content = item.get("content") if isinstance(item, dict) else None
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return [part["text"] for part in parts if isinstance(part.get("text"), str)]
