"""Hands an act of a supervisor to the assistant over the socket that this process holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from callops.core.database import in_db
from callops.engine.attachment import Attachment
from callops.engine.hearing_acts import EVENT, METADATA
from callops.providers.openai import client_events
from callops.providers.openai.client_events import ClientEvent
from callops.sideband.payload import turn_detection
from callops.sideband.wire import WHISPER
from callops.supervision import progress
from callops.supervision.models import Act, Intervention

BUSY = "The assistant went on speaking for 8 s, so it was not asked. Pause it first, or try again."


class Acts:
    """The acts being handed over on one line: each once at a time, however often the engine comes with it."""

    def __init__(self, line: Attachment, *, clock: Callable[[], datetime]) -> None:
        self._line = line
        self._clock = clock
        self._running: dict[str, asyncio.Task[None]] = {}

    def begin(self, act_id: str) -> None:
        """The act is being carried out."""
        if act_id not in self._running:
            task = asyncio.create_task(carry_out(self._line, act_id, clock=self._clock))
            self._running[act_id] = task
            task.add_done_callback(lambda _: self._running.pop(act_id, None))

    def stop(self) -> None:
        """What was not claimed is left to whoever holds the line next."""
        for task in list(self._running.values()):
            task.cancel()


async def carry_out(line: Attachment, act_id: str, *, clock: Callable[[], datetime]) -> None:
    """The act was claimed and handed over; left for the next look while the socket is away.

    Words to say wait until the running answer is over: OpenAI refuses a second one (contract OpenAI 4.4).
    """
    wish = await in_db(progress.asked)(act_id)
    if wish is None or not line.is_open:
        return
    if wish == Act.SAY and not await line.fell_quiet():
        await in_db(progress.refuse)(act_id, BUSY, now=clock())
        return
    act = await in_db(progress.claim)(act_id, now=clock())
    if act is None:
        return
    for event in events(act, responding=line.is_responding, playing=line.is_playing):
        await line.send(event)


def events(act: Intervention, *, responding: bool, playing: bool) -> list[ClientEvent]:
    """What is sent for an act, in order; only the first carries its name. Pure.

    A pause turns answers off, then stops the answer being made, then what the caller hears (contract OpenAI 4.7);
    the last two only when there is something to stop, because OpenAI answers them with an error otherwise.
    """
    first = client_events.named(_first(act), f"{EVENT}{act.pk}")
    if act.act != Act.PAUSE:
        return [first]
    stop = [client_events.cancel()] if responding else []
    return [first, *stop, *([client_events.clear_output()] if playing or responding else [])]


def _first(act: Intervention) -> ClientEvent:
    if act.act == Act.WHISPER:
        return client_events.system_message(act.text, item_id=f"{WHISPER}{act.pk}")
    if act.act == Act.SAY:
        return client_events.say(act.text, **{METADATA: act.pk})
    detection = turn_detection(answering=act.act == Act.RESUME)
    return client_events.session_update(audio={"input": {"turn_detection": detection}})
