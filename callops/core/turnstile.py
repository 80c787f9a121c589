"""How many requests are in work at once at each door: beyond it 503, before a thread is made for one more.

Somebody who hangs up does not end the work that was begun: its thread goes on until the answer is made, and the place
is free only then. So requests that hang up at once cannot pile up threads. The carriers' doors have no such limit.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Lock
from typing import Any, Final

from asgiref.sync import ThreadSensitiveContext
from django.db import transaction

from callops.core import clock, counters, refusals
from callops.core.database import AWAY, in_db
from callops.core.doors import API, DOORS, FULL, Door, door_of
from callops.core.precedence import first

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

AGAIN_S: Final = 1
LOOKS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
REASON: Final = "too many requests at once"
CAUSE: Final = "more came than can be worked on at once: a flood, or answers that take long"

logger = logging.getLogger(__name__)


class Turnstile:
    """The ASGI application behind it, for as many requests at once as each door takes."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._in_work: Counter[str] = Counter()
        self._lock = Lock()
        self._untold: Counter[str] = Counter()
        self._telling: asyncio.Task[None] | None = None

    def in_work(self, door: Door) -> int:
        """Requests of this door whose work has not ended, also when nobody waits for the answer."""
        with self._lock:
            return self._in_work[door.name]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer of the house, or 503. Who asks for a change is waited for more than who looks."""
        with nullcontext() if scope["method"] in LOOKS else first():
            await self._let_in(scope, receive, send)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = door_of(scope["path"])
        if door.at_once is None:
            await self._application(scope, receive, send)
        elif self._enters(door, door.at_once):
            await self._work(door, scope, receive, send)
        else:
            self._note(door)
            await _refuse(door, send)

    def _enters(self, door: Door, most: int) -> bool:
        with self._lock:
            if self._in_work[door.name] >= most:
                return False
            self._in_work[door.name] += 1
            return True

    def _leaves(self, door: Door) -> None:
        with self._lock:
            self._in_work[door.name] -= 1

    async def _work(self, door: Door, scope: Scope, receive: Receive, send: Send) -> None:
        """The request has a thread of its own, whose last work is to free the place."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=door.name)
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self._application(scope, receive, send)
        finally:
            thread.submit(self._leaves, door)
            thread.shutdown(wait=False)

    def _note(self, door: Door) -> None:
        """It will be counted: a flood costs one write at a time, of all that came during the one before."""
        self._untold[door.name] += 1
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._untold:
            told, self._untold = self._untold, Counter()
            try:
                await in_db(_keep)(told)
            except AWAY as error:
                self._untold += told  # with the next refusal
                logger.warning("What was refused is not counted yet: the database is away. (%s)", error)
                return


@transaction.atomic
def _keep(told: Counter[str]) -> None:
    for door in DOORS:
        if times := told[door.name]:
            counters.bump(f"full.{door.name}", clock.now(), REASON, times=times)
            refusals.note(door, REASON, CAUSE, clock.now(), times=times)


async def _refuse(door: Door, send: Send) -> None:
    is_api = door.name == API.name
    body = json.dumps({"detail": FULL}) if is_api else f"{FULL}\n"
    headers = [
        (b"Content-Type", b"application/json" if is_api else b"text/plain; charset=utf-8"),
        (b"Retry-After", str(AGAIN_S).encode()),
        (b"Cache-Control", b"no-store"),
        (b"X-Content-Type-Options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
