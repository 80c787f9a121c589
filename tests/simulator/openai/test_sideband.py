"""The sideband over real sockets: attaching, hearing, asking, and how it ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from tests.simulator.openai.theatre import ACCEPT, Theatre, hear, open_theatre, say, until

FAST: dict[str, Any] = {"speed": 400.0}


def words_of(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.output_audio_transcript.delta")


async def refused(connecting: Any) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as caught:
        await connecting
    return caught.value


async def test_a_call_that_is_not_accepted_has_no_sideband(theatre: Theatre) -> None:
    dialog = theatre.invite()

    answer = (await refused(dialog.attach())).response

    assert answer.status_code == 404
    assert json.loads(answer.body or b"")["error"]["code"] == "call_id_not_found"
    assert (await refused(dialog.attach(key="sk-wrong-key-wrong"))).response.status_code == 401


async def test_too_early_is_a_404_and_a_little_later_works(theatre: Theatre) -> None:
    early = await theatre.answered(sideband_ready_s=600.0)
    dialog = await theatre.answered(sideband_ready_s=0.05)

    assert (await refused(early.attach())).response.status_code == 404
    await until(lambda: dialog.call.is_attachable)
    async with dialog.attach():
        pass


async def test_two_sidebands_hear_the_same_and_nothing_is_replayed(theatre: Theatre) -> None:
    dialog = await theatre.answered(conversation="withheld_long", speed=100.0)
    async with dialog.attach() as one, dialog.attach() as two:
        await until(lambda: len(dialog.call.sidebands) == 2)
        first = await hear(one, "output_audio_buffer.stopped")
        second = await hear(two, "output_audio_buffer.stopped")
        async with dialog.attach() as late:
            third = await hear(late, "response.done")

    assert first[-len(second) :] == second
    assert not {event.get("event_id") for event in first} & {event.get("event_id") for event in third}


async def test_session_created_comes_only_when_the_scenario_says_so(theatre: Theatre) -> None:
    dialog = await theatre.answered(session_created=True)
    async with dialog.attach() as socket:
        events = await hear(socket, "session.created")

    session = events[0]["session"]
    assert session["id"].removeprefix("sess_") == dialog.call.id.removeprefix("rtc_")
    assert session["audio"]["input"]["turn_detection"]["threshold"] == 0.5
    assert session["instructions"] == ACCEPT["instructions"]


async def test_a_hang_up_drops_the_socket_without_a_close_frame(theatre: Theatre) -> None:
    dialog = await theatre.answered()
    async with dialog.attach() as socket:
        await until(lambda: dialog.call.sidebands)
        dialog.call.bye()
        with pytest.raises(ConnectionClosedError) as closed:
            await hear(socket, "nothing")

    assert closed.value.rcvd is None
    assert socket.close_code == 1006
    assert (await refused(dialog.attach())).response.status_code == 404


async def test_hangup_over_rest_drops_the_socket_too(theatre: Theatre) -> None:
    dialog = await theatre.answered()
    async with dialog.attach() as socket:
        await until(lambda: dialog.call.sidebands)
        await dialog.post("hangup")
        with pytest.raises(ConnectionClosed):
            await hear(socket, "nothing")

    assert socket.close_code == 1006


async def test_a_dropped_sideband_leaves_the_call_alive_and_can_come_back(theatre: Theatre) -> None:
    dialog = await theatre.answered(conversation="withheld_long", drop_sideband_at_s=4.0, speed=100.0)
    async with dialog.attach() as socket:
        with pytest.raises(ConnectionClosedError):
            await hear(socket, "nothing")
    async with dialog.attach() as again:
        await hear(again, "response.done")

    assert not dialog.carrier.heard("bye")


async def test_a_session_ends_after_its_limit_with_an_error_and_1001() -> None:
    async with open_theatre(session_limit_s=0.05) as theatre:
        dialog = await theatre.answered()
        async with dialog.attach() as socket:
            events = await hear(socket, "error")
            with pytest.raises(ConnectionClosed) as closed:
                await hear(socket, "nothing")

    assert events[-1]["error"]["code"] == "session_expired"
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, events[-1]["error"]["message"])
    assert dialog.carrier.told[-1] == ("bye", None)


async def test_garbage_arrives_between_good_frames(theatre: Theatre) -> None:
    dialog = await theatre.answered(garbage_frame_at_s=0.0)
    async with dialog.attach() as socket:
        with pytest.raises(ValueError, match="Unterminated"):
            await hear(socket, "nothing")
        events = await hear(socket, "session.relocated")

    assert len(events) == 1


async def test_keys_are_told_while_the_call_lives(theatre: Theatre) -> None:
    dialog = await theatre.answered()
    async with dialog.attach() as socket:
        await until(lambda: dialog.call.sidebands)
        dialog.call.dtmf("5")
        events = await hear(socket, "input_audio_buffer.dtmf_event_received")

    assert events[-1]["event"] == "5"
    assert "event_id" not in events[-1]


async def test_a_listener_who_says_nothing_hears_the_whole_recording(theatre: Theatre) -> None:
    dialog = await theatre.answered(conversation="outage_transfer", **FAST)
    async with dialog.attach() as socket:
        events = await hear(socket, "response.output_audio_transcript.delta")
        await until(lambda: theatre.left)
        while len(events) < 450:
            events.append(json.loads(await socket.recv()))

    assert theatre.left == [dialog.call.id]
    assert events[0]["session"]["id"] == dialog.call.session_id
    assert events[-1]["delta"] == " Let"


async def test_the_recordings_client_gets_its_own_answers_once(theatre: Theatre) -> None:
    dialog = await theatre.answered(conversation="outage_transfer", **FAST)
    outputs = []
    async with dialog.attach() as socket:
        await say(socket, type="response.create", response={"metadata": {"mine": "greeting"}})
        events = await hear(socket, "response.done")
        for tool in ("lookup_outage", "transfer_call"):
            heard = await hear(socket, "response.function_call_arguments.done")
            assert heard[-1]["name"] == tool
            outputs.append(json.dumps({"ok": False, "tool": tool}))
            item = {"type": "function_call_output", "call_id": heard[-1]["call_id"], "output": outputs[-1]}
            await say(socket, type="conversation.item.create", item=item)
            events += heard
        events += await hear(socket, "input_audio_buffer.timeout_triggered")

    assert events[-1]["type"] == "input_audio_buffer.timeout_triggered"
    assert next(event for event in events if event["type"] == "response.done")["response"]["metadata"] == {
        "mine": "greeting"
    }
    added = [event["item"] for event in events if event["type"] == "conversation.item.added"]
    assert [item["output"] for item in added if item["type"] == "function_call_output"] == outputs


async def test_a_greeting_nobody_asks_for_is_not_spoken(theatre: Theatre) -> None:
    dialog = await theatre.answered(conversation="billing_short", **FAST)
    async with dialog.attach() as socket:
        events = await hear(socket, "response.created")

    assert events[0]["type"] == "input_audio_buffer.speech_started"


async def test_without_transcription_the_caller_has_no_words(theatre: Theatre) -> None:
    dialog = await theatre.answered({"type": "realtime"}, conversation="billing_short", **FAST)
    async with dialog.attach() as socket:
        events = await hear(socket, "output_audio_buffer.stopped")

    assert any(event["type"] == "input_audio_buffer.speech_stopped" for event in events)
    assert not any("input_audio_transcription" in event["type"] for event in events)


async def test_while_create_response_is_off_the_assistant_is_silent(theatre: Theatre) -> None:
    mute = {"type": "server_vad", "create_response": False}
    accept = {**ACCEPT, "audio": {"input": {**ACCEPT["audio"]["input"], "turn_detection": mute}}}
    dialog = await theatre.answered(accept, conversation="billing_short", **FAST)
    async with dialog.attach():
        await until(lambda: theatre.left)

    kinds = {entry["event"]["type"] for entry in theatre.recorded("event")}
    assert "input_audio_buffer.committed" in kinds
    assert not any(kind.startswith(("response.", "output_audio_buffer.")) for kind in kinds)


async def test_nobody_attaches_and_the_caller_talks_to_itself() -> None:
    async with open_theatre(unattended_s=0.0) as theatre:
        dialog = await theatre.answered(conversation="billing_short", **FAST)
        await until(lambda: theatre.left)

        assert theatre.left == [dialog.call.id]
        assert all(entry["sidebands"] == 0 for entry in theatre.recorded("event"))


async def test_the_assistant_goes_on_after_its_tool(theatre: Theatre) -> None:
    said = {}
    for ok in (True, False):
        dialog = await theatre.answered(conversation="asks_for_person", **FAST)
        async with dialog.attach() as socket:
            call = (await hear(socket, "response.function_call_arguments.done"))[-1]
            await hear(socket, "response.done")
            output = json.dumps({"ok": ok, "error": None if ok else "nobody answers"})
            item = {"type": "function_call_output", "call_id": call["call_id"], "output": output}
            await say(socket, type="conversation.item.create", item=item)
            await say(socket, type="response.create")
            said[ok] = words_of(await hear(socket, "response.done"))

    assert said[True] == "The front desk is being called for you."
    assert said[False].startswith("I'm sorry")


async def test_many_calls_play_at_once(theatre: Theatre) -> None:
    dialogs = [await theatre.answered(conversation="billing_short", **FAST) for _ in range(8)]
    sockets = await asyncio.gather(*(dialog.attach() for dialog in dialogs))
    heard = await asyncio.gather(*(hear(socket, "response.done") for socket in sockets))
    await asyncio.gather(*(socket.close() for socket in sockets))

    assert len({events[-1]["response"]["id"] for events in heard}) == 8
