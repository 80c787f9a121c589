"""What a line's rules forbid is on no turn and in no fact, also when it was read in groups or keyed."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.calls.words import Redaction
from callops.engine.folding import Folder
from callops.sideband import batches, journal
from callops.sideband.models import Turn
from tests.rows import make_call, make_session

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
CARD = "4111 1111 1111 1111"


class Talk:
    """A folder and the frames of what is said to it."""

    def __init__(self, *rules: str, session_id: int = 1, call_id: str = "C1") -> None:
        self.folder = Folder(session_id=session_id, call_id=call_id, position_base=0, rules=rules)
        self._numbers = itertools.count(1)
        self._last: str | None = None

    def hear(self, **frame: Any) -> None:
        number = next(self._numbers)
        raw = json.dumps({"event_id": f"event_{number}", **frame}).encode()
        self.folder.take(raw, START + timedelta(seconds=number))

    def caller(self, item_id: str, text: str, *, done: bool = True) -> None:
        if done:
            item = {"id": item_id, "type": "message", "role": "user", "content": [{"type": "input_audio"}]}
            self.hear(type="conversation.item.added", previous_item_id=self._last, item=item)
            self._last = item_id
            kind, word = "conversation.item.input_audio_transcription.completed", {"transcript": text}
        else:
            kind, word = "conversation.item.input_audio_transcription.delta", {"delta": text}
        self.hear(type=kind, item_id=item_id, content_index=0, **word)

    def key(self, key: str) -> None:
        at = 1_700_000_000 + next(self._numbers)
        self.hear(type="input_audio_buffer.dtmf_event_received", event=key, received_at=at)

    def kept(self) -> str:
        """Everything that would be readable in the database."""
        batch = self.folder.take_batch().batch
        words = [turn.text for _, turn in batch.turns.values()] + [turn.detail for _, turn in batch.turns.values()]
        return json.dumps([*words, *(dict(event.body) for event in batch.events)], default=str)


def test_a_card_number_is_on_no_turn_and_in_no_fact_and_still_in_the_frames() -> None:
    talk = Talk(Redaction.CARD)
    talk.caller("item_1", f"It is {CARD}.")

    taken = talk.folder.take_batch().batch
    _, turn = taken.turns["item_1"]

    assert turn.text == "It is [card number]."
    assert turn.detail["redacted"] == {"card": 1}
    assert [event.body["text"] for event in taken.events if event.kind == Kind.OPENAI_TURN] == [turn.text]
    assert any(CARD.encode() in raw for _, raw in taken.frames)


def test_a_line_without_rules_keeps_everything() -> None:
    talk = Talk()
    talk.caller("item_1", CARD)

    assert CARD in talk.kept()


def test_digits_are_not_shown_while_they_may_become_a_card_number() -> None:
    talk = Talk(Redaction.CARD)
    talk.caller("item_1", "four one one one", done=False)

    assert "four one" not in talk.kept()


def test_what_the_assistant_hands_to_a_tool_is_replaced_inside_its_json() -> None:
    talk = Talk(Redaction.CARD)
    arguments = json.dumps({"card": 4111111111111111, "note": f"card {CARD}", "times": 2})
    item = {"id": "item_1", "type": "function_call", "name": "pay", "call_id": "call_1", "arguments": ""}
    talk.hear(type="conversation.item.added", item=item)
    named = {"item_id": "item_1", "call_id": "call_1", "name": "pay", "arguments": arguments}
    talk.hear(type="response.function_call_arguments.done", **named)

    taken = talk.folder.take_batch()
    kept = {"card": "[card number]", "note": "card [card number]", "times": 2}
    _, turn = taken.batch.turns["item_1"]

    assert json.loads(turn.detail["arguments"]) == kept
    assert "4111" not in turn.text
    (wish,) = [event for event in taken.batch.events if event.kind == Kind.OPENAI_TOOL_CALL]
    assert json.loads(wish.body["arguments"]) == kept
    assert [call.arguments_json for call in taken.calls] == [arguments]


@pytest.mark.django_db(transaction=True)
def test_a_number_read_in_groups_is_taken_back_from_lines_that_were_shown() -> None:
    session = make_session(make_call(), lease_owner="engine-1")
    talk = Talk(Redaction.CARD, session_id=session.pk, call_id=session.call_id)
    groups = ["four one one one", "one one one one, and", "one one one one", "one one one one"]

    def save() -> None:
        assert not batches.save([talk.folder.take_batch().batch], owner="engine-1", now=START)

    for number, words in enumerate(groups):
        talk.caller(f"item_{number}", words)
        save()

    shown = [turn.text for turn in Turn.objects.filter(call=session.call_id)]
    facts = [event.body["text"] for event in timeline.since(session.call_id, 0) if event.kind == Kind.OPENAI_TURN]
    assert shown == ["[card number]", "[card number]", "[card number]", "[card number]"]
    assert facts == shown
    assert sum(b"one one one" in raw for _, raw in journal.replay(session.pk)) == 4


@pytest.mark.django_db(transaction=True)
def test_a_number_that_was_keyed_is_taken_back_key_by_key() -> None:
    session = make_session(make_call(), lease_owner="engine-1")
    talk = Talk(Redaction.CARD, session_id=session.pk, call_id=session.call_id)
    for key in CARD.replace(" ", ""):
        talk.key(key)
        batches.save([talk.folder.take_batch().batch], owner="engine-1", now=START)

    keys = [event.body["key"] for event in Event.objects.filter(call=session.call_id, kind=Kind.OPENAI_DTMF)]
    assert keys == ["•"] * 16
    assert {turn.text for turn in Turn.objects.filter(call=session.call_id)} == {"pressed •"}
    assert Call.objects.get(pk=session.call_id).last_seq == 32
