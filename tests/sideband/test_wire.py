from __future__ import annotations

import json

import pytest

from callops.providers.openai.frames import decode
from callops.sideband.wire import KNOWN_TYPES, is_delta, worth_a_row
from tests.sideband.recorded import CONTRACTS, frame, frames


def test_every_event_of_the_contract_is_known() -> None:
    examples = {json.loads(path.read_text())["type"] for path in (CONTRACTS / "events").glob("*.json")}

    assert examples == KNOWN_TYPES


def test_the_recorded_call_has_rows_for_its_facts_only() -> None:
    rows = [one.type for one, _ in frames("sideband-call") if worth_a_row(one)]

    assert rows == [
        *["input_audio_buffer.dtmf_event_received"] * 4,
        "response.function_call_arguments.done",
        "conversation.item.truncated",
        "conversation.item.truncated",
        "response.function_call_arguments.done",
    ]


@pytest.mark.parametrize(
    ("name", "worth"),
    [
        ("response.done.failed-server_error", True),
        ("response.done.incomplete-content_filter", True),
        ("response.done.cancelled-turn_detected", False),
        ("response.done.function_call", False),
        ("error.session_expired", True),
    ],
)
def test_failures_have_a_row_and_a_barge_in_s_cancelled_response_has_none(name: str, worth: bool) -> None:
    one = decode((CONTRACTS / "event-variants" / f"{name}.json").read_bytes())

    assert worth_a_row(one) is worth


def test_unknown_types_have_a_row_unless_they_are_pieces() -> None:
    assert worth_a_row(frame("conversation.mood.changed"))
    assert not worth_a_row(frame("response.smell.delta"))
    assert is_delta("response.smell.delta")
    assert not is_delta("response.done")
