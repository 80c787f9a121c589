"""What was said on one line of a transcript as it was said, read from the sealed frames and from nowhere else."""

from __future__ import annotations

from typing import Final

import msgspec

from callops.sideband import journal
from callops.sideband.models import AiSession

_WHOLE: Final = {
    "conversation.item.input_audio_transcription.completed": "transcript",
    "response.output_audio_transcript.done": "transcript",
    "response.output_text.done": "text",
    "response.function_call_arguments.done": "arguments",
}
"""Frames that bring the whole text of an item, and where (contract OpenAI 4.6)."""
_PIECES: Final = frozenset(
    {"conversation.item.input_audio_transcription.delta", "response.output_audio_transcript.delta"}
)
_KEY: Final = "input_audio_buffer.dtmf_event_received"
_PRESSED: Final = "dtmf-"


class _Frame(msgspec.Struct):
    type: str = ""
    item_id: str | None = None
    transcript: str | None = None
    text: str | None = None
    arguments: str | None = None
    delta: str | None = None
    event: str | None = None


_decoder = msgspec.json.Decoder(_Frame)


def original(call_id: str, item_id: str) -> str | None:
    """The text of the item as OpenAI told it; None when its frames are not kept. Raises `CannotUnseal`."""
    for session_id in AiSession.objects.filter(call=call_id).order_by("-pk").values_list("pk", flat=True):
        if (found := _in_session(session_id, item_id)) is not None:
            return found
    return None


def _in_session(session_id: int, item_id: str) -> str | None:
    whole: list[str] = []
    pieces: list[str] = []
    keys: list[str] = []
    for _, raw in journal.replay(session_id):
        try:
            frame = _decoder.decode(raw)
        except msgspec.MsgspecError:
            continue
        if frame.type == _KEY:
            keys.append(frame.event or "")
        elif frame.item_id == item_id and frame.type in _WHOLE:
            whole.append(getattr(frame, _WHOLE[frame.type]) or "")
        elif frame.item_id == item_id and frame.type in _PIECES:
            pieces.append(frame.delta or "")
    if item_id.startswith(_PRESSED) and item_id.removeprefix(_PRESSED).isdecimal():
        place = int(item_id.removeprefix(_PRESSED)) - 1
        return keys[place] if 0 <= place < len(keys) else None
    return " ".join(whole) or "".join(pieces).strip() or None
