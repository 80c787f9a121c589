"""What the application says, compared with the contract's own examples."""

import json
from typing import Any

import pytest

from callops.providers.openai import client_events
from tests.providers import contracts


def example(name: str) -> dict[str, Any]:
    event = contracts.read(f"openai/client-events/{name}.json")
    return {key: value for key, value in event.items() if key != "event_id"}


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (client_events.response_create(), "response.create"),
        (client_events.cancel(), "response.cancel"),
        (client_events.clear_output(), "output_audio_buffer.clear"),
        (client_events.say("please hold while I connect you."), "response.create.say"),
        (
            client_events.system_message("The operator is joining in about ten seconds. Ask the caller to hold."),
            "conversation.item.create.system",
        ),
        (
            client_events.response_create(
                conversation="none",
                output_modalities=["text"],
                instructions="Summarise the call so far in one sentence.",
                metadata={"purpose": "summary"},
            ),
            "response.create.out_of_band",
        ),
        (
            client_events.function_call_output(
                "call_JcplEu0Pz8WC4WuH", {"status": "started", "destination": "medical_priority"}
            ),
            "conversation.item.create.function_call_output",
        ),
    ],
)
def test_a_built_event_equals_the_example(event: dict[str, Any], name: str) -> None:
    assert event == example(name)


def test_a_session_update_always_has_its_type() -> None:
    event = client_events.session_update(instructions="Be brief.", type="other")

    assert event == {"type": "session.update", "session": {"type": "realtime", "instructions": "Be brief."}}


def test_a_tool_output_is_json_text() -> None:
    event = client_events.function_call_output("call_1", {"name": "Zoë", "n": [1, None]})

    assert json.loads(event["item"]["output"]) == {"name": "Zoë", "n": [1, None]}
