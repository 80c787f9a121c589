"""The web server and the background work of one process, on one event loop, with an orderly end.

Daphne lives on Twisted. Its reactor is installed when this module is imported, so only `serve` imports it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from daphne.server import Server as Daphne  # first: it installs the asyncio reactor
from daphne.server import twisted_loop
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.tcp import Connection

from callops.core.arriving import Arriving
from callops.core.doors import SOCKETS
from callops.core.service import STOP_MAY_TAKE_S, Service, loop_first

logger = logging.getLogger(__name__)

reactor: Any = _reactor

REQUESTS_MAY_TAKE_S = 10.0
SOCKETS_MAY_TAKE_S = 2.0
SERVICE_RESTART = 1012
"""The close code that tells browsers to come back (RFC 6455 registry)."""


AT_ONCE = "callops.at_once"
"""The ASGI extension under which it is in a socket's scope."""


def at_once(socket: Any, frame: bytes) -> bool:
    """The frame is on its way, after everything sent before; False: nothing was done, send it the usual way.

    For a text that goes to many sockets: framed once, and without the layers that each of them would pass it through.
    What the kernel takes is given to it directly, as an idle transport has nothing to be overtaken.
    """
    wire = socket.transport
    if socket.state != socket.STATE_OPEN or not isinstance(wire, Connection) or wire.disconnecting:
        return False
    if wire.dataBuffer or wire._tempDataBuffer:
        return False
    sent = wire.writeSomeData(frame)
    if not isinstance(sent, int) or sent < 0:
        return False
    if sent < len(frame):
        wire.write(frame[sent:])  # type: ignore[no-untyped-call]
    return True


class Server(Daphne):
    """Daphne with services beside it. On SIGTERM or SIGINT it drains: no new connections, running requests end,
    sockets are closed with 1012, services stop, and only then the loop ends.
    """

    def __init__(self, application: Any, *, host: str, port: int, services: Sequence[Service] = ()) -> None:
        address = host.replace(":", r"\:")
        super().__init__(
            application,
            endpoints=[f"tcp:port={port}:interface={address}"],
            signal_handlers=False,
            http_timeout=60,
            websocket_timeout=-1,
            websocket_max_message_size=SOCKETS.body,
            websocket_max_frame_size=SOCKETS.body,
            server_name="callops",
        )
        self.services = services
        self.failed = False
        self._ports: list[Any] = []
        self._running: list[asyncio.Task[None]] = []
        self._ending: asyncio.Task[None] | None = None

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """A socket's application finds in its scope how to hand a whole frame to the wire (`at_once`)."""
        if isinstance(protocol, WebSocketProtocol):
            scope["extensions"] = {**scope.get("extensions", {}), AT_ONCE: partial(at_once, protocol)}
        return super().create_application(protocol, scope)

    def serve(self, *, ready: Callable[[], None]) -> bool:
        """Serve until told to stop; `ready` is called once connections are taken. False when something failed."""
        self._ready = ready
        loop_first()
        reactor.callWhenRunning(self._start)
        self.run()
        return not self.failed

    def _start(self) -> None:
        self.http_factory.protocol = Arriving  # nobody was let in yet
        for name in (signal.SIGTERM, signal.SIGINT):
            twisted_loop.add_signal_handler(name, self.drain)
        self._running = [twisted_loop.create_task(self._run(service)) for service in self.services]

    async def _run(self, service: Service) -> None:
        try:
            await service.run()
        except Exception:  # whatever it was, half a process must not look like a whole one
            logger.exception("%s failed; the process ends so that it is started anew", type(service).__name__)
            self.failed = True
            self.drain()

    def listen_success(self, port: Any) -> None:
        """Remember the port, so that it can be closed, and say that we are there."""
        super().listen_success(port)
        self._ports.append(port)
        self._ready()

    def listen_error(self, failure: Any) -> None:
        """Without a port there is nothing to serve, and nothing was started yet."""
        logger.critical("%s (another port: --port)", failure.getErrorMessage())
        self.failed = True
        self.stop()

    def drain(self) -> None:
        """Begin the orderly end; asking twice is asking once."""
        if self._ending is None:
            self._ending = twisted_loop.create_task(self._end())

    async def _end(self) -> None:
        try:
            await self._stop_taking_connections()
            await _until(lambda: not self._unanswered(), REQUESTS_MAY_TAKE_S)
            await self._close_sockets()
            await self._stop_services()
        finally:
            self.stop()

    async def _stop_taking_connections(self) -> None:
        for port in self._ports:
            await port.stopListening().asFuture(twisted_loop)

    def _unanswered(self) -> list[Any]:
        """Requests whose application still runs (sockets apart)."""
        return [
            protocol
            for protocol, state in self.connections.items()
            if not isinstance(protocol, WebSocketProtocol) and _is_running(state)
        ]

    async def _close_sockets(self) -> None:
        sockets = [protocol for protocol in self.connections if isinstance(protocol, WebSocketProtocol)]
        for socket in sockets:
            if socket.state == socket.STATE_OPEN:
                socket.sendCloseFrame(code=SERVICE_RESTART, isReply=False)
        await _until(lambda: not any(_is_running(self.connections.get(s, {})) for s in sockets), SOCKETS_MAY_TAKE_S)

    def kill_all_applications(self) -> Deferred[Any]:
        """The last step before the loop ends: whatever application still runs is cancelled and waited for."""
        late = [state["application_instance"] for state in self.connections.values() if _is_running(state)]
        for application in late:
            application.cancel()
        return Deferred.fromFuture(asyncio.gather(*late, return_exceptions=True))

    async def _stop_services(self) -> None:
        """Stop them last first; one that fails or takes too long does not keep the others from ending well."""
        for service in reversed(self.services):
            try:
                await asyncio.wait_for(service.stop(), STOP_MAY_TAKE_S)
            except Exception:  # including the timeout: its leases run out by themselves
                logger.exception("%s did not stop cleanly", type(service).__name__)
                self.failed = True
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def _is_running(state: dict[str, Any]) -> bool:
    application = state.get("application_instance")
    return application is not None and not application.done()


async def _until(condition: Callable[[], bool], deadline_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(deadline_s):
            while not condition():  # noqa: ASYNC110 - Daphne has no event for it
                await asyncio.sleep(0.02)
