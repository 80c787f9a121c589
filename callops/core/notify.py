"""Notifications: "call 7 changed", never what changed. Who hears one reads the database after its own cursor.

A lost notification costs at most a second (readers look by themselves), so a failing layer is logged, never raised.
What people merely say on calls is told apart, many times a second: pages that show it listen, engines do not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import weakref
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from asgiref.sync import SyncToAsync, async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from callops.core import ear

logger = logging.getLogger(__name__)

GROUP = "callops.changes"
TALK = "callops.talk"
SEND_TIMEOUT_S = 2.0

_silenced = False
_to_send: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Outgoing] = weakref.WeakKeyDictionary()


class Changes(asyncio.Queue[str]):
    """A queue of call ids in which an id waits at most once, so it never grows past the number of calls."""

    def _init(self, maxsize: int) -> None:
        self._queue: OrderedDict[str, None] = OrderedDict()

    def _put(self, item: str) -> None:
        self._queue[item] = None

    def _get(self) -> str:
        return self._queue.popitem(last=False)[0]

    def take(self, message: dict[str, Any]) -> None:
        """The calls that a notification names wait."""
        for call_id in message.get("calls", ()):
            self.put_nowait(str(call_id))

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        return await self.get()


@dataclass(frozen=True, slots=True)
class _Notification:
    """Sent on commit, with the ids that were added to it until then."""

    group: str
    call_ids: dict[str, None]

    def __call__(self) -> None:
        """Sent by the event loop that this thread works for, which the thread does not wait for; else by itself."""
        loop = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
        if loop is not None and loop.is_running():
            loop.call_soon_threadsafe(_begin_to_send, self.group, list(self.call_ids))
        else:
            async_to_sync(_send)(self.group, list(self.call_ids))


def call_changed(call_id: str) -> None:
    """Tell every process that a call changed, once the transaction is committed (at once outside one)."""
    calls_changed([call_id])


def calls_changed(call_ids: Iterable[str], *, by_talk: bool = False) -> None:
    """Tell every process that these calls changed, once the transaction is committed (at once outside one).

    All changes of a transaction are one notification, in which a call is named once; those `by_talk`, of which nobody
    hears who subscribes without it, are another. From sync code only.
    """
    announce(TALK if by_talk else GROUP, call_ids)


def announce(group: str, ids: Iterable[str]) -> None:
    """Tell everybody who hears this group these ids, as `calls_changed` does. From sync code only."""
    changed = dict.fromkeys(ids)
    if not changed:
        return
    connection = transaction.get_connection()
    here = set(connection.savepoint_ids)
    for savepoints, pending, *_ in connection.run_on_commit:
        if isinstance(pending, _Notification) and pending.group == group and set(savepoints) <= here:
            pending.call_ids.update(changed)
            return
    transaction.on_commit(_Notification(group, changed))


@contextlib.asynccontextmanager
async def subscribe(*, talk: bool = False) -> AsyncIterator[Changes]:
    """A queue of the ids of calls that change while the block runs; survives a layer that fails and comes back.

    `talk`: also of calls on which something was said and nothing else changed.
    """
    changes = Changes()
    ready = asyncio.Event()
    groups = [GROUP, TALK] if talk else [GROUP]
    listening = asyncio.create_task(ear.listen(groups, changes.take, ready=ready))
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ready.wait(), SEND_TIMEOUT_S)
        yield changes
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


class _Outgoing:
    """What one event loop has to tell: one message at a time, and what changes meanwhile goes into the next one.

    So a layer that is slow or away holds up one task and the names of the calls that changed, however often they did.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, None]] = {}
        self._sending: asyncio.Task[None] | None = None

    def add(self, group: str, call_ids: Iterable[str]) -> None:
        """They are on their way."""
        self._waiting.setdefault(group, {}).update(dict.fromkeys(call_ids))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.ensure_future(self._send_all())

    async def _send_all(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, {}
            for group, call_ids in taken.items():
                await _send(group, list(call_ids))


def _begin_to_send(group: str, call_ids: Sequence[str]) -> None:
    _to_send.setdefault(asyncio.get_running_loop(), _Outgoing()).add(group, call_ids)


async def _send(group: str, call_ids: Sequence[str]) -> None:
    message = {"type": "changed", "calls": call_ids}
    try:
        await asyncio.wait_for(_layer().group_send(group, message), SEND_TIMEOUT_S)
    except Exception as wrong:  # the layer's own errors are of many kinds, and none may undo what was committed
        _log_once("A notification could not be sent; readers look by themselves every second.", wrong)
    else:
        _speak_again()


def _layer() -> Any:
    return get_channel_layer()


def _log_once(text: str, wrong: Exception) -> None:
    """Only the first failure in a row is worth a traceback."""
    global _silenced
    if not _silenced:
        _silenced = True
        logger.error(text, exc_info=wrong)


def _speak_again() -> None:
    global _silenced
    _silenced = False
