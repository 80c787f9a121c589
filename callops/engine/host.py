"""Hosts one consumer for each sideband, as asgiref's stateless server hosts applications."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from asgiref.server import StatelessServer

from callops.core import clock, ear, watched
from callops.core.watched import Watched
from callops.engine.outside import Outside
from callops.engine.sessions import Served
from callops.engine.sideband_consumer import COMMANDS, SidebandConsumer
from callops.engine.writer import Writer

logger = logging.getLogger(__name__)

NO_EVICTION = 1_000_000
"""Far above what a process can hold: the server would silently evict the least recently used."""


class SidebandHost(StatelessServer):
    """The sidebands of this process, by session."""

    def __init__(self, *, owner: str, outside: Outside) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            SidebandConsumer.as_asgi(), max_applications=NO_EVICTION
        )
        self._owner = owner
        self._outside = outside
        self._watched = Watched()
        self._writer = Writer(owner=owner, clock=clock.now, watched=self._watched)

    async def handle(self) -> None:
        """What any process asks of a sideband that is held here is done in its turn; and it is heard who watches."""
        await ear.listen([COMMANDS, watched.GROUP], self._take)

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == watched.KIND:
            self._watched.take(message)
            return
        for details in list(self.application_instances.values()):
            if details["scope"]["served"].call_id == message.get("call"):
                details["input_queue"].put_nowait(message)

    async def application_send(self, scope: dict[str, Any], message: dict[str, Any]) -> None:
        """A consumer says that its attachment ended: it is told to leave."""
        details = self.application_instances.get(scope["served"].session_id)
        if details is not None:
            details["input_queue"].put_nowait(message)

    async def application_exception(self, exception: BaseException, application_details: dict[str, Any]) -> None:
        """One sideband's failure is logged and is nobody else's; its lease runs out and it is attached again."""
        call_id = application_details["scope"]["served"].call_id
        logger.error("The sideband of %s failed", call_id, exc_info=exception)

    def attach(self, served: Served, *, inherits: bool = False) -> None:
        """A consumer for the session is running; one that inherits waits until its owner has left."""
        scope = {"type": "sideband", "served": served, "owner": self._owner, "outside": self._outside}
        scope["writer"] = self._writer
        queue = self.get_or_create_application_instance(  # type: ignore[no-untyped-call]
            served.session_id, scope
        )
        queue.put_nowait({"type": "sideband.attach", "inherits": inherits})

    def act(self, session_id: int, act_id: str) -> None:
        """The session's consumer was told of a supervisor's act."""
        details = self.application_instances.get(session_id)
        if details is not None:
            details["input_queue"].put_nowait({"type": "sideband.act", "id": act_id})

    def detach(self, session_id: int) -> None:
        """The session's consumer was told to give its socket back."""
        self._tell(session_id, "sideband.detach")

    def relieve(self, session_id: int) -> None:
        """The session's consumer was told that its heir hears."""
        self._tell(session_id, "sideband.relieve")

    def _tell(self, session_id: int, what: str) -> None:
        details = self.application_instances.get(session_id)
        if details is not None:
            details["input_queue"].put_nowait({"type": what})

    @property
    def held(self) -> set[int]:
        """Sessions whose consumer was not cleared away yet: until then no other can take its place here."""
        return set(self.application_instances)

    async def empty(self, *, within_s: float) -> None:
        """Every consumer was told to leave, and given so long to do it."""
        futures = [details["future"] for details in self.application_instances.values()]
        for session_id in list(self.application_instances):
            self.detach(session_id)
        if futures:
            await asyncio.wait(futures, timeout=within_s)
