"""The two providers as a benchmark needs them: a loopback server that notes when a request arrived.

It runs on the loop of what is measured, so its own work is in every latency and in the bare one beside it alike.
"""

from __future__ import annotations

import asyncio
import socket
from time import perf_counter
from typing import Self

from aiohttp import web

from bench.problems import CannotMeasure

WAIT_S = 20.0


class NeverArrived(CannotMeasure):
    """A request that was to be measured did not reach the loopback provider."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"No {what} arrived within {WAIT_S:g} s. Look at the log above for the refusal, run `make test` "
            "to see whether that path works, and run the benchmark again on an idle machine."
        )


class Street:
    """OpenAI's call verbs and the carrier's call resource on one loopback port; use it as `async with`."""

    def __init__(self) -> None:
        self._door = socket.socket()
        self._door.bind(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._awaited: dict[str, asyncio.Future[float]] = {}

    async def __aenter__(self) -> Self:
        application = web.Application()
        self.routes(application)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.SockSite(self._runner, self._door).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def routes(self, application: web.Application) -> None:
        """What stands on this street."""
        application.router.add_post("/v1/realtime/calls/{id}/{verb}", self._openai)
        application.router.add_post("/2010-04-01/Accounts/{account}/Calls/{id}.json", self._carrier)

    def awaits(self, verb: str, of: str) -> Arrival:
        """The next request with this verb about that call or leg, which is about to be caused."""
        arrived: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._awaited[f"{verb} {of}"] = arrived
        return Arrival(f"{verb} of {of}", arrived)

    async def _openai(self, request: web.Request) -> web.Response:
        await request.read()
        self.note(request.match_info["verb"], request.match_info["id"])
        return web.Response(headers={"x-request-id": "req_bench", "openai-processing-ms": "1"})

    async def _carrier(self, request: web.Request) -> web.Response:
        await request.read()
        self.note("redirect", request.match_info["id"])
        leg = {"sid": request.match_info["id"], "status": "in-progress", "parent_call_sid": None}
        return web.json_response(leg, headers={"twilio-request-id": "RQbench"})

    def note(self, verb: str, of: str) -> None:
        """The request arrived, now."""
        awaited = self._awaited.pop(f"{verb} {of}", None)
        if awaited is not None:
            awaited.set_result(perf_counter())


class Arrival:
    """A request that is expected."""

    def __init__(self, what: str, arrived: asyncio.Future[float]) -> None:
        self._what = what
        self._arrived = arrived

    async def at(self) -> float:
        """When the whole request was received, as a reading of perf_counter. Raises `NeverArrived`."""
        try:
            return await asyncio.wait_for(self._arrived, WAIT_S)
        except TimeoutError:
            raise NeverArrived(self._what) from None
