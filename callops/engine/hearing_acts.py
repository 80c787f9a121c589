"""What the assistant's side says about acts of supervisors: acknowledged, seen, refused. Pure.

A whisper is an item with our id, what is said is a response with our metadata, a pause is a session whose turn
detection answers nothing (contract OpenAI 4.6, 4.7). An `error` that names our event is a refusal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from callops.providers.openai.frames import Frame
from callops.sideband.wire import WHISPER
from callops.supervision.models import Act, Step
from callops.supervision.progress import Told

EVENT = "act-"
"""How the `event_id` of an act's own client event begins; what goes with it (cancel, clear) is not named."""
METADATA = "intervention"


class ActEar:
    """Follows one session's frames; `paused` is what the session itself last said."""

    def __init__(self) -> None:
        self.paused = False
        self._whispers: list[str] = []
        self._said: dict[str, str] = {}
        self._quieting = self._resuming = False

    def take(self, frame: Frame, at: datetime, *, quiet: bool) -> list[Told]:
        """What this frame tells of acts; `quiet`: after it, no response runs and nothing plays."""
        told = self._about(frame, at)
        if self._quieting and quiet:
            self._quieting = False
            told.append(Told(Step.SEEN, act=Act.PAUSE, at=at))
        return told

    def _about(self, frame: Frame, at: datetime) -> list[Told]:
        if frame.type == "error" and frame.error is not None:
            return _refused(frame.error.event_id, frame.error.message)
        if frame.type in ("conversation.item.added", "conversation.item.created"):
            return self._added(frame.item.id or "" if frame.item else "")
        if frame.type == "response.created":
            return self._begun(frame, at)
        if frame.type == "output_audio_buffer.started" and frame.response_id in self._said:
            return [Told(Step.SEEN, self._said.pop(frame.response_id or ""))]
        return self._updated(frame.session, at) if frame.type == "session.updated" else []

    def _added(self, item_id: str) -> list[Told]:
        if not item_id.startswith(WHISPER):
            return []
        act_id = item_id.removeprefix(WHISPER)
        self._whispers.append(act_id)
        return [Told(Step.ACKNOWLEDGED, act_id)]

    def _begun(self, frame: Frame, at: datetime) -> list[Told]:
        """The assistant has read every whisper before its answer; an aside beside the conversation reads nothing."""
        response = frame.response
        if response is None or response.conversation_id is None:
            return []
        told = [Told(Step.SEEN, act_id) for act_id in self._whispers]
        self._whispers.clear()
        act_id = str((response.metadata or {}).get(METADATA) or "")
        if act_id:
            self._said[response.id or ""] = act_id
            told.append(Told(Step.ACKNOWLEDGED, act_id))
        elif self._resuming:
            self._resuming = False
            told.append(Told(Step.SEEN, act=Act.RESUME, at=at))
        return told

    def _updated(self, session: dict[str, Any] | None, at: datetime) -> list[Told]:
        answers = _answers(session)
        if answers is None:
            return []
        self.paused = self._quieting = not answers
        self._resuming = answers
        return [Told(Step.ACKNOWLEDGED, act=Act.RESUME if answers else Act.PAUSE, at=at)]


def _refused(event_id: str | None, message: str | None) -> list[Told]:
    if not event_id or not event_id.startswith(EVENT):
        return []
    return [Told(Step.REFUSED, event_id.removeprefix(EVENT), why=message or "OpenAI refused it without saying why.")]


def _answers(session: dict[str, Any] | None) -> bool | None:
    """Whether the session answers the caller by itself; None when the frame does not say."""
    try:
        answers = (session or {})["audio"]["input"]["turn_detection"]["create_response"]
    except (KeyError, TypeError):
        return None
    return bool(answers)
