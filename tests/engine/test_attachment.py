"""One session's sideband: attached, read, kept, answered, attached again, and known to be over."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from callops.calls.models import Call, Event
from callops.core import clock
from callops.core.database import in_db
from callops.engine import attachment as module
from callops.engine import keeper, writer
from callops.engine.attachment import Attachment
from callops.engine.sessions import served
from callops.sideband import batches, journal, leases
from callops.sideband.models import AiSession, FrameBatch, Turn
from callops.transfers.models import TransferAttempt
from tests.engine.sockets import Gone, OpenAi, Socket, eventually
from tests.rows import body_of, kinds, make_call, make_destination, make_line, make_session
from tests.sideband.recorded import call as recorded

pytestmark = pytest.mark.django_db(transaction=True)

OWNER = "engine-1"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_PAUSES_S", "AGAIN_PAUSES_S"):
        monkeypatch.setattr(module, name, (0.0,))
    monkeypatch.setattr(writer, "GATHER_S", 0.0)
    monkeypatch.setattr(keeper, "SAVE_AGAIN_S", 0.0)


def session_of(**fields: Any) -> AiSession:
    line = make_line()
    call = make_call(line, ai_session="accepting", state="connecting", answered_at=None)
    now = clock.now()
    session = make_session(call, webhook_at=now, created_at=now, accepted_at=now, **fields)
    assert leases.claim(session.pk, owner=OWNER, now=now)
    return session


@contextlib.asynccontextmanager
async def attached(
    openai: OpenAi, *, now: Callable[[], datetime] = clock.now, **fields: Any
) -> AsyncIterator[tuple[Attachment, AiSession]]:
    """An attachment at work on a session of its own; stopped afterwards if it still runs."""
    session = await in_db(session_of)(**fields)
    served_now = await in_db(served)(session.pk)
    work = Attachment(served_now, owner=OWNER, outside=openai, clock=now)
    running = asyncio.create_task(work.run())
    try:
        yield work, session
    finally:
        await work.stop()
        await asyncio.wait_for(running, 10)


async def call_of(session: AiSession) -> Call:
    return await in_db(Call.objects.get)(pk=session.call_id)


async def until_state(session: AiSession, *states: str) -> Call:
    async def look() -> Call | None:
        call = await call_of(session)
        return call if call.ai_session in states else None

    return await eventually(look, f"{states}")


def words(session: AiSession) -> list[tuple[str, str]]:
    turns = Turn.objects.filter(call=session.call_id).exclude(speaker="tool").order_by("position")
    return [(turn.speaker, turn.text) for turn in turns]


def tool_call(name: str, arguments: dict[str, Any], call_id: str = "call_1") -> list[dict[str, Any]]:
    item = {"id": f"item_{call_id}", "type": "function_call", "name": name, "call_id": call_id, "arguments": ""}
    about = {"response_id": "resp_1", "item_id": item["id"], "output_index": 0, "call_id": call_id, "name": name}
    done = {"type": "response.function_call_arguments.done", "event_id": "e2", "arguments": json.dumps(arguments)}
    added = {"type": "conversation.item.added", "event_id": "e1", "previous_item_id": None, "item": item}
    finished = {"type": "conversation.item.done", "event_id": "e3", "previous_item_id": None}
    return [added, {**done, **about}, {**finished, "item": {**item, "arguments": json.dumps(arguments)}}]


def outputs(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    items = [event["item"] for event in sent if event["type"] == "conversation.item.create"]
    return [json.loads(item["output"]) for item in items if item["type"] == "function_call_output"]


async def test_an_open_socket_proves_that_the_call_lives_and_the_assistant_greets_once() -> None:
    first, second = Socket(drops=1006), Socket()
    async with attached(OpenAi([first, second])) as (_, session):
        await second.until(lambda _: True)
        await eventually(lambda: in_db(lambda: kinds(session.call).count("openai.sideband_open") == 2)(), "again")

        call = await call_of(session)
        assert (call.state, call.ai_session) == ("live", "open")
        assert [event["type"] for event in first.sent + second.sent] == ["response.create"]
        assert first.sent[0]["response"]["instructions"] == "Greet."


async def test_a_404_right_after_the_accept_is_tried_again() -> None:
    openai = OpenAi([Gone, Gone, Gone, Socket()])
    async with attached(openai) as (_, session):
        await until_state(session, "open")

    assert openai.asked == 4


async def test_the_recorded_call_is_kept_frame_by_frame_and_word_by_word() -> None:
    frames = [row["event"] for row in recorded("sideband-call")]
    async with attached(OpenAi([Socket(*frames)])) as (_, session):

        async def all_kept() -> bool:
            return (await in_db(AiSession.objects.get)(pk=session.pk)).frames == len(frames)

        await eventually(all_kept, "every frame")

    kept = [json.loads(raw) for _, raw in await in_db(lambda: list(journal.replay(session.pk)))()]
    assert kept == frames
    spoken = await in_db(words)(session)
    assert spoken[0] == (
        "assistant",
        "Hi, this is Nora, the automated assistant at Northline Energy. How can I help you today?",
    )
    assert [speaker for speaker, _ in spoken].count("caller") >= 4


async def test_garbage_is_counted_and_survived_and_a_frame_of_megabytes_is_taken() -> None:
    large = {"type": "session.updated", "event_id": "e", "session": {"instructions": "x" * 4_000_000}}
    async with attached(OpenAi([Socket(b"\xff\x00 no JSON", large, {"type": "brand.new", "event_id": "e"})])) as (
        _,
        session,
    ):
        await eventually(lambda: in_db(lambda: "openai.unknown_frame" in kinds(session.call))(), "unknown kept")

    stored = await in_db(AiSession.objects.get)(pk=session.pk)
    assert (stored.frames, stored.garbage) == (3, 1)
    assert "openai.garbage" in await in_db(kinds)(session.call)


async def test_a_drop_makes_partial_words_final_and_two_404s_mean_over() -> None:
    speech = {"type": "input_audio_buffer.speech_started", "event_id": "e", "audio_start_ms": 0, "item_id": "item_1"}
    part = {
        "type": "conversation.item.input_audio_transcription.delta",
        "event_id": "e",
        "item_id": "item_1",
        "content_index": 0,
        "delta": " My power went",
    }
    async with attached(OpenAi([Socket(speech, part, drops=1006), Gone])) as (_, session):
        call = await until_state(session, "closed")

    turn = await in_db(Turn.objects.get)(call=session.call_id)
    assert (turn.text, turn.final, turn.partial) == ("My power went", True, True)
    assert call.incomplete
    assert call.carrier_check_at is not None, "a closed session is a question to the carrier"
    assert (await in_db(body_of)(session.call, "openai.sideband_dropped"))["code"] == 1006


@pytest.mark.parametrize("code", [1001, 1006, 1011, 1012])
async def test_a_drop_while_the_call_lives_is_attached_again(code: int) -> None:
    again = Socket()
    async with attached(OpenAi([Socket(drops=code), again])) as (_, session):
        await eventually(lambda: in_db(lambda: kinds(session.call).count("openai.sideband_open") == 2)(), "again")

        assert (await call_of(session)).ai_session == "open"


async def test_a_session_that_never_opens_is_dead_and_the_ai_leg_is_ended_for_the_action_to_take_over() -> None:
    openai = OpenAi([Gone])
    start = clock.now()
    steps = (start + timedelta(seconds=second) for second in itertools.count())
    async with attached(openai, now=lambda: next(steps)) as (_, session):
        call = await until_state(session, "closed")

    assert call.failure_stage == "accepted_but_dead"
    assert openai.hung_up == [session.ai_call_id]
    assert openai.completed == [call.ai_leg_sid]


async def test_a_caller_who_is_gone_ends_the_search_and_leaves_no_ghost_at_openai() -> None:
    openai = OpenAi([Gone])
    session = await in_db(session_of)()
    await in_db(Call.objects.filter(pk=session.call_id).update)(state="ended")

    work = Attachment(await in_db(served)(session.pk), owner=OWNER, outside=openai, clock=clock.now)
    await asyncio.wait_for(work.run(), 10)

    assert (await in_db(AiSession.objects.get)(pk=session.pk)).closed_at is not None
    assert openai.hung_up == [session.ai_call_id]
    assert openai.completed == []


async def test_the_assistants_transfer_is_asked_by_name_and_answered() -> None:
    await in_db(make_destination)("frontdesk", label="Front desk")
    socket = Socket()
    async with attached(OpenAi([socket])) as (_, session):
        await until_state(session, "open")
        for frame in tool_call("transfer_call", {"destination": "frontdesk", "reason": "billing"}):
            socket.push(frame)
        await socket.until(lambda sent: len(outputs(sent)) == 1)

    attempt = await in_db(TransferAttempt.objects.get)()
    assert outputs(socket.sent)[0]["ok"] is True
    assert (attempt.requested_by, attempt.target_label, attempt.reason) == ("assistant", "Front desk", "billing")


@pytest.mark.parametrize("wish", ["+15550199", "tel:+15550111", "reception", ""])
async def test_an_unknown_name_is_refused_in_words_and_a_number_is_no_name(wish: str) -> None:
    await in_db(make_destination)("frontdesk", label="Front desk")
    socket = Socket()
    async with attached(OpenAi([socket])) as (_, session):
        await until_state(session, "open")
        for frame in tool_call("transfer_call", {"destination": wish}):
            socket.push(frame)
        await socket.until(lambda sent: len(sent) == 3 and sent[-1]["type"] == "response.create")

    (output,) = outputs(socket.sent)
    assert output["ok"] is False
    assert "frontdesk" in output["error"]
    assert not await in_db(TransferAttempt.objects.exists)()


async def test_a_goodbye_is_played_to_its_end_before_the_assistant_hangs_up() -> None:
    socket, openai = Socket(), OpenAi([])
    openai._attaches = [socket]
    async with attached(openai) as (_, session):
        await until_state(session, "open")
        socket.push({"type": "output_audio_buffer.started", "event_id": "e", "response_id": "r"})
        for frame in tool_call("end_call", {"reason": "done"}):
            socket.push(frame)
        await socket.until(lambda sent: len(outputs(sent)) == 1)
        assert openai.hung_up == []

        socket.push({"type": "output_audio_buffer.stopped", "event_id": "e", "response_id": "r"})
        await eventually(lambda: _now(openai.hung_up), "hung up")

    assert (await call_of(session)).end_wish == "assistant"


async def _now(value: Any) -> Any:
    return value


async def test_who_lost_the_lease_writes_nothing_more() -> None:
    socket = Socket()
    async with attached(OpenAi([socket])) as (_, session):
        await until_state(session, "open")
        await in_db(AiSession.objects.update)(lease_owner="engine-2")
        socket.push({"type": "input_audio_buffer.cleared", "event_id": "e"})
        socket.drop()

    assert await in_db(FrameBatch.objects.count)() == 0
    assert "openai.sideband_dropped" not in await in_db(kinds)(session.call)


async def test_a_successor_folds_what_was_kept_and_goes_on_after_it() -> None:
    frames = [row["event"] for row in recorded("sideband-call")]
    half = len(frames) // 2
    first = Socket(*frames[:half])
    async with attached(OpenAi([first])) as (_, session):

        async def half_kept() -> bool:
            return (await in_db(AiSession.objects.get)(pk=session.pk)).frames == half

        await eventually(half_kept, "the first half")
    await in_db(leases.release)(OWNER)
    assert await in_db(leases.claim)(session.pk, owner="engine-2", now=clock.now())

    successor = Attachment(
        await in_db(served)(session.pk), owner="engine-2", outside=OpenAi([Socket(*frames[half:])]), clock=clock.now
    )
    running = asyncio.create_task(successor.run())

    async def all_kept() -> bool:
        return (await in_db(AiSession.objects.get)(pk=session.pk)).frames == len(frames)

    await eventually(all_kept, "the second half")
    await successor.stop()
    await asyncio.wait_for(running, 10)

    kept = [json.loads(raw) for _, raw in await in_db(lambda: list(journal.replay(session.pk)))()]
    items = await in_db(lambda: list(Turn.objects.values_list("item_id", flat=True)))()
    assert kept == frames
    assert len(items) == len(set(items))


async def test_bug_a_database_that_stumbles_costs_no_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    save, failures = batches.save, iter([True, True, False])

    def stumbling(*args: Any, **named: Any) -> set[int]:
        if next(failures, False):
            raise DatabaseError("the disk is full")
        return save(*args, **named)

    monkeypatch.setattr(batches, "save", stumbling)
    socket = Socket({"type": "input_audio_buffer.cleared", "event_id": "e1"})
    async with attached(OpenAi([socket])) as (_, session):
        socket.push({"type": "input_audio_buffer.cleared", "event_id": "e2"})

        async def kept() -> bool:
            return (await in_db(AiSession.objects.get)(pk=session.pk)).frames == 2

        await eventually(kept, "both frames")


async def test_bug_an_attachment_told_to_stop_while_its_socket_opens_does_not_read_for_ever() -> None:
    session = await in_db(session_of)()
    opening, go_on = asyncio.Event(), asyncio.Event()

    class Slow(OpenAi):
        async def sideband(self, ai_call_id: str) -> Socket:
            opening.set()
            await go_on.wait()
            return await super().sideband(ai_call_id)

    work = Attachment(await in_db(served)(session.pk), owner=OWNER, outside=Slow([Socket()]), clock=clock.now)
    running = asyncio.create_task(work.run())
    await opening.wait()

    await work.stop()
    go_on.set()

    await asyncio.wait_for(running, 10)


async def test_events_follow_one_another_without_a_gap() -> None:
    frames = [row["event"] for row in recorded("sideband-call")]
    async with attached(OpenAi([Socket(*frames, drops=1006), Gone])) as (_, session):
        await until_state(session, "closed")

    numbers = await in_db(lambda: list(Event.objects.filter(call=session.call_id).values_list("seq", flat=True)))()
    assert numbers == list(range(1, len(numbers) + 1))
