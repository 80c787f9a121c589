"""A sideband that is held: what is asked to be said waits until the assistant is quiet."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.core import clock
from callops.core.database import in_db
from callops.engine import sessions
from callops.engine.attachment import Attachment
from callops.engine.outside import Outside
from callops.engine.sessions import Served
from callops.providers.openai import client_events
from tests.engine.outside import FakeOutside, FakeSideband
from tests.rows import kinds, make_call, make_line, make_session
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

OWNER = "engine-1"
RESPONSE = {"id": "resp_1", "status": "in_progress"}


def held() -> tuple[Call, Served]:
    call = make_call(make_line())
    session = make_session(call, lease_owner=OWNER)
    return call, sessions.served(session.pk)


async def attached(socket: FakeSideband) -> tuple[Call, Attachment, asyncio.Task[None]]:
    """An attachment that has greeted."""
    call, served = await in_db(held)()
    attachment = Attachment(served, owner=OWNER, outside=cast(Outside, FakeOutside(socket=socket)), clock=clock.now)
    running = asyncio.create_task(attachment.run())
    await until(lambda: socket.types() == ["response.create"])
    return call, attachment, running


async def test_what_is_to_be_said_is_sent_at_once_when_nobody_answers() -> None:
    socket = FakeSideband()
    _, attachment, running = await attached(socket)

    attachment.send_when_quiet(client_events.response_create())
    await until(lambda: len(socket.sent) == 2)

    await attachment.stop()
    await running
    assert socket.types() == ["response.create", "response.create"]


async def test_a_running_response_is_waited_for() -> None:
    socket = FakeSideband()
    _, attachment, running = await attached(socket)
    socket.says("response.created", response=RESPONSE)
    socket.says("input_audio_buffer.dtmf_event_received", event="1")
    await until(lambda: attachment.is_responding)

    attachment.send_when_quiet(client_events.response_create())
    await attachment.send(client_events.system_message("Keep company."))
    before = socket.types()
    socket.says("response.done", response={**RESPONSE, "status": "completed"})
    await until(lambda: len(socket.sent) == 3)

    await attachment.stop()
    await running
    assert before == ["response.create", "conversation.item.create"]
    assert socket.types() == [*before, "response.create"]


async def test_the_echo_of_our_note_is_on_the_timeline_and_no_line_of_the_transcript() -> None:
    socket = FakeSideband()
    call, attachment, running = await attached(socket)
    for item_id in ("note-01example", "item_of_somebody_else"):
        item: dict[str, object] = {
            "id": item_id,
            "type": "message",
            "role": "system",
            "status": "completed",
            "content": [],
        }
        socket.says("conversation.item.added", item=item)

    await attachment.stop()
    await running

    assert (await in_db(kinds)(call)).count(Kind.OPENAI_NOTE_ADDED) == 1
    assert Kind.OPENAI_TURN not in await in_db(kinds)(call)
