"""What clients may send, and the answers they get."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from callops.simulator.openai.answers import exact_words, succeeded, summary, transfer_told
from callops.simulator.openai.client_events import EVENTS, read
from callops.simulator.openai.schema import Invalid
from tests.simulator.openai.shapes import known_shapes, shape
from tests.simulator.openai.theatre import Theatre, hear, say, until


@pytest.fixture
async def socket(theatre: Theatre) -> AsyncIterator[ClientConnection]:
    """A sideband of a call whose caller has said nothing yet and whose speech is slow enough to be stopped."""
    dialog = await theatre.answered(conversation="silent_caller", speed=20.0)
    async with dialog.attach() as made:
        await until(lambda: dialog.call.sidebands)
        yield made


async def error_for(socket: ClientConnection, **message: Any) -> dict[str, Any]:
    await say(socket, **message)
    error: dict[str, Any] = (await hear(socket, "error"))[-1]["error"]
    return error


def test_every_client_event_of_the_contract_is_understood(contracts: Path) -> None:
    examples = [json.loads(path.read_text()) for path in (contracts / "openai/client-events").glob("*.json")]

    assert {read(json.dumps(example))["type"] for example in examples} == set(EVENTS)


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ({}, "missing_required_parameter", "type"),
        ({"type": 3}, "invalid_type", "type"),
        ({"type": "session.foo"}, "invalid_value", "type"),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "response.create", "speed": 2}, "unknown_parameter", "speed"),
        ({"type": "response.create", "response": {"temperature": 1}}, "unknown_parameter", "response.temperature"),
        ({"type": "response.create", "response": {"modalities": []}}, "unknown_parameter", "response.modalities"),
        ({"type": "response.create", "response": {"metadata": {"a": 1}}}, "invalid_type", "response.metadata.a"),
        ({"type": "response.cancel", "event_id": "x" * 513}, "invalid_value", "event_id"),
        ({"type": "conversation.item.create", "item": {}}, "missing_required_parameter", "item.type"),
        (
            {"type": "conversation.item.create", "item": {"type": "message", "role": "user"}},
            "missing_required_parameter",
            "item.content",
        ),
        (
            {"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "call_1"}},
            "missing_required_parameter",
            "item.output",
        ),
        ({"type": "conversation.item.truncate", "item_id": "i"}, "missing_required_parameter", "content_index"),
        ({"type": "conversation.item.delete"}, "missing_required_parameter", "item_id"),
    ],
)
def test_a_bad_client_event_is_named(message: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(json.dumps(message))

    assert (refused.value.code, refused.value.param) == (code, param)


async def test_errors_look_like_the_contracts(socket: ClientConnection, contracts: Path) -> None:
    variants = contracts / "openai/event-variants"
    for name, message in (
        ("missing_session_type", {"type": "session.update", "session": {}}),
        ("invalid_value-type", {"type": "session.foo"}),
        ("response_cancel_not_active", {"type": "response.cancel"}),
    ):
        wanted = json.loads((variants / f"error.{name}.json").read_text())["error"]

        assert await error_for(socket, **message, event_id=wanted["event_id"]) == wanted


async def test_a_frame_that_is_not_json_gets_an_error_and_the_session_goes_on(
    socket: ClientConnection, theatre: Theatre
) -> None:
    await socket.send("{nonsense")
    assert (await hear(socket, "error"))[-1]["error"]["code"] == "invalid_json"
    await say(socket, type="input_audio_buffer.clear")
    await hear(socket, "input_audio_buffer.cleared")

    assert theatre.recorded("refused")[-1]["frame"] == "{nonsense"


async def test_an_update_changes_only_what_it_names(socket: ClientConnection) -> None:
    await say(socket, type="session.update", session={"type": "realtime", "instructions": "Be brief."})
    first = (await hear(socket, "session.updated"))[-1]["session"]
    mute = {"type": "server_vad", "create_response": False}
    await say(socket, type="session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": mute}}})
    second = (await hear(socket, "session.updated"))[-1]["session"]

    assert first["instructions"] == second["instructions"] == "Be brief."
    detection = second["audio"]["input"]["turn_detection"]
    assert (detection["create_response"], detection["idle_timeout_ms"]) == (False, 8000)
    assert second["audio"]["input"]["transcription"]["model"] == "gpt-realtime-whisper"


async def test_model_and_voice_do_not_change_under_way(socket: ClientConnection) -> None:
    model = await error_for(socket, type="session.update", session={"type": "realtime", "model": "gpt-realtime-1.5"})
    await say(socket, type="response.create")
    await hear(socket, "output_audio_buffer.started")
    voice = {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}

    assert model["param"] == "session.model"
    assert (await error_for(socket, type="session.update", session=voice))["code"] == "cannot_update_voice"


async def test_an_operators_words_are_spoken_exactly_with_their_metadata(
    socket: ClientConnection, contracts: Path
) -> None:
    example = json.loads((contracts / "openai/client-events/response.create.say.json").read_text())
    await say(socket, **example)
    events = await hear(socket, "output_audio_buffer.stopped")

    known = known_shapes(contracts)
    done = next(event["response"] for event in events if event["type"] == "response.done")
    assert done["output"][0]["content"][0]["transcript"] == "please hold while I connect you."
    assert done["metadata"] == {"source": "operator"}
    bare = [event for event in events if event["type"] not in ("response.created", "response.done")]
    assert all(shape(event) in known[event["type"]] for event in bare)


async def test_a_second_response_waits_for_the_first(socket: ClientConnection) -> None:
    await say(socket, type="response.create")
    created = (await hear(socket, "response.created"))[-1]["response"]
    error = await error_for(socket, type="response.create", event_id="mine")

    assert error["code"] == "conversation_already_has_active_response"
    assert created["id"] in error["message"]
    assert error["event_id"] == "mine"


async def test_a_side_question_is_answered_in_text_beside_the_conversation(
    socket: ClientConnection, contracts: Path
) -> None:
    example = json.loads((contracts / "openai/client-events/response.create.out_of_band.json").read_text())
    await say(socket, type="response.create")
    await hear(socket, "response.created")
    await say(socket, **example)
    events = await hear(socket, "response.output_text.done")
    mine = next(event["response"] for event in events if event["type"] == "response.created")

    assert (mine["conversation_id"], mine["metadata"]) == (None, {"purpose": "summary"})
    apart = [event for event in events if event.get("response_id") == mine["id"]]
    assert "".join(event["delta"] for event in apart if "delta" in event) == events[-1]["text"]
    assert not any(event["type"].startswith("conversation.") for event in apart)


async def test_a_cancelled_response_is_closed_but_goes_on_sounding(socket: ClientConnection) -> None:
    await say(socket, type="response.create")
    await hear(socket, "output_audio_buffer.started")
    await say(socket, type="response.cancel")
    events = await hear(socket, "response.done")
    await say(socket, type="output_audio_buffer.clear")
    after = await hear(socket, "output_audio_buffer.cleared")

    assert events[-1]["response"]["status"] == "cancelled"
    assert events[-1]["response"]["status_details"]["reason"] == "client_cancelled"
    assert events[-1]["response"]["output"][0]["status"] == "incomplete"
    assert events[-1]["response"]["usage"]["total_tokens"] > 0
    assert "output_audio_buffer.stopped" not in [event["type"] for event in after]


async def test_items_can_be_added_read_and_deleted(socket: ClientConnection) -> None:
    item = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be kind."}]}
    await say(socket, type="conversation.item.create", item=item)
    done = (await hear(socket, "conversation.item.done"))[-1]["item"]
    await say(socket, type="conversation.item.retrieve", item_id=done["id"])
    read_back = (await hear(socket, "conversation.item.retrieved"))[-1]["item"]
    await say(socket, type="conversation.item.delete", item_id=done["id"])
    await hear(socket, "conversation.item.deleted")

    assert read_back == done == {**item, "id": done["id"], "status": "completed"}
    for verb in ("retrieve", "delete"):
        error = await error_for(socket, type=f"conversation.item.{verb}", item_id=done["id"])
        assert error["code"] == "item_not_found"


async def test_an_item_can_stand_in_front(socket: ClientConnection) -> None:
    item = {"id": "item_second", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    await say(socket, type="conversation.item.create", item=item)
    await hear(socket, "conversation.item.done")
    await say(socket, type="conversation.item.create", item={**item, "id": "item_first"}, previous_item_id="root")
    added = (await hear(socket, "conversation.item.added"))[-1]
    lost = {**item, "id": "item_third"}
    error = await error_for(socket, type="conversation.item.create", item=lost, previous_item_id="item_nowhere")

    assert added["previous_item_id"] is None
    assert error["code"] == "item_not_found"
    twice = await error_for(socket, type="conversation.item.create", item=item)
    assert twice["param"] == "item.id"


async def test_an_output_needs_a_known_tool_call(socket: ClientConnection) -> None:
    item = {"type": "function_call_output", "call_id": "call_nobody", "output": "{}"}
    error = await error_for(socket, type="conversation.item.create", item=item)

    assert error["code"] == "invalid_tool_call_id"


async def test_sound_cannot_be_put_into_a_sip_call(socket: ClientConnection) -> None:
    assert (await error_for(socket, type="input_audio_buffer.append", audio="/w=="))["code"] == "invalid_value"


@pytest.mark.parametrize(
    ("instructions", "words"),
    [
        ("Say exactly: please hold.", "please hold."),
        ("Now SAY EXACTLY: “Bitte warten.”", "Bitte warten."),
        ("Greet the caller.", None),
        (None, None),
    ],
)
def test_dictated_words_are_found(instructions: str | None, words: str | None) -> None:
    assert exact_words(instructions) == words


@pytest.mark.parametrize(
    ("output", "ok"),
    [('{"ok": true}', True), ('{"ok": false}', False), ('{"status": "refused"}', False), ("done", True), ("[]", True)],
)
def test_a_tools_output_is_read_as_success_or_failure(output: str, ok: bool) -> None:
    assert succeeded(output) is ok


@pytest.mark.parametrize(
    ("note", "ok"),
    [
        ("The caller is now being connected to the front desk.", True),
        ("The transfer to the front desk was cancelled.", False),
        ("Nobody at the front desk could be reached.", False),
        ("Speak more slowly.", None),
        ("", None),
    ],
)
def test_a_note_about_a_transfer_is_understood(note: str, ok: bool | None) -> None:
    assert transfer_told(note) is ok


async def test_an_assistant_that_was_told_of_a_transfer_speaks_of_it(socket: ClientConnection) -> None:
    await say(socket, type="response.create")
    await hear(socket, "response.done")
    text = {"type": "input_text", "text": "The caller is now being connected to the front desk."}
    await say(socket, type="conversation.item.create", item={"type": "message", "role": "system", "content": [text]})
    await say(socket, type="response.create")

    heard = (await hear(socket, "response.output_audio_transcript.done"))[-1]
    assert heard["transcript"] == "You are being connected, please stay on the line."


def test_a_summary_tells_what_was_said() -> None:
    items = [
        {"role": "user", "content": [{"type": "input_audio", "transcript": "My bill is wrong."}]},
        {"role": "assistant", "content": [{"type": "output_audio", "transcript": "I'll check."}]},
    ]

    assert summary([]) == "The caller has not said anything yet."
    assert "My bill is wrong." in summary(items)
    assert "I'll check." in summary(items)
