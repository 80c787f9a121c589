"""Everything at once: many calls talk, many browsers watch, webhooks arrive, supervisors click, deadlines pass.

The server under test is `serve` as it is: web, engine and hub in one process; with Redis, a web process and an engine.
The providers, the browsers and this process, which sends webhooks and clicks, share the machine's cores with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx

from bench import stage
from bench.accept import signed
from bench.browsers import WARM_S
from bench.child import Child, child
from bench.problems import CannotMeasure
from bench.settings import REDIS
from bench.street import Arrival, Street
from bench.table import Figure, percentile
from bench.transfer import deadline_of, on_our_clock
from callops.calls.models import Call
from callops.core.database import in_db
from callops.sideband.models import AiSession, FrameBatch

CALLS, PACE, BROWSERS, SECONDS = 200, 30, 50, 60.0
REQUESTS, PAUSE_S = 500, 0.1
DEADLINE_S = 0.5
ROW_GOAL_MS, WIRE_GOAL_MS = 250.0, 100.0
READY_MAY_TAKE_S = 60.0
STORING_MAY_TAKE_S = 5.0


@dataclass(slots=True)
class Seen:
    """What a run showed, in seconds."""

    rows: list[float]
    missing: int
    stray: int
    cores: float
    """How many cores the server kept busy while people talked."""
    unstored: int
    accepts: list[float] = field(default_factory=list)
    refers: list[float] = field(default_factory=list)
    redirects: list[float] = field(default_factory=list)


class Wires:
    """Requests that the crowd's process says arrived."""

    def __init__(self, crowd: Child) -> None:
        self._crowd = crowd
        self._awaited: dict[str, asyncio.Future[float]] = {}
        self.said: asyncio.Future[dict[str, int]] = asyncio.get_running_loop().create_future()

    def awaits(self, verb: str, of: str) -> Arrival:
        arrived: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._awaited[f"{verb} {of}"] = arrived
        return Arrival(f"{verb} of {of}", arrived)

    async def listen(self) -> None:
        """For ever."""
        while line := json.loads(await self._crowd.hear()):
            if "said" in line:
                self.said.set_result(line["said"])
            elif awaited := self._awaited.pop(line["what"], None):
                awaited.set_result(line["at"])


async def measure(application: Any, street: Street, contracts: Path) -> list[Figure]:
    """One run of the whole load."""
    await in_db(stage.set_up)(refer_deadline_s=DEADLINE_S)
    token, cookie = await in_db(stage.token)(), await in_db(stage.cookie)()
    ids = await in_db(stage.accepted)(CALLS)
    async with child("-m", "bench.crowd") as crowd:
        env = {"CALLOPS_BENCH_STREET": f"http://127.0.0.1:{await crowd.hear()}"}
        wires = Wires(crowd)
        listening = asyncio.create_task(wires.listen())
        async with serving(env) as (servers, address):
            await until_open(list(ids))
            async with child("-m", "bench.browsers", address.replace("http", "ws"), cookie) as browsers:
                gc.collect()
                gc.freeze()  # a pause of this process would be counted as the server's
                seen = await _run(_Run(crowd, wires, servers, browsers, address, token, contracts, ids))
        listening.cancel()
    return _figures(seen)


@dataclass(frozen=True, slots=True)
class _Run:
    crowd: Child
    wires: Wires
    servers: Sequence[Child]
    browsers: Child
    address: str
    token: str
    contracts: Path
    ids: dict[str, str]
    """The AI's id of each call that talks, and our own."""


async def _run(run: _Run) -> Seen:
    watched = list(run.ids.values())[:BROWSERS]
    await run.browsers.say(json.dumps([*watched, ""]))
    await run.browsers.hear()
    begun, cpu_s = perf_counter(), _cpu_s(run.servers)
    await run.crowd.say(f"{SECONDS} {PACE}")
    accepts, transfers = await asyncio.gather(_webhooks(run), _clicks(run))
    said = {run.ids[ai]: pieces for ai, pieces in (await run.wires.said).items() if ai in run.ids}
    cores = (_cpu_s(run.servers) - cpu_s) / (perf_counter() - begun)
    await run.browsers.say(json.dumps(said))
    report = json.loads(await run.browsers.hear())
    refers, redirects = zip(*transfers, strict=True)
    unstored = await _until_stored(list(run.ids), int(SECONDS * PACE))
    return Seen(
        report["seconds"], report["missing"], report["stray"], cores, unstored, accepts, [*refers], [*redirects]
    )


async def _webhooks(run: _Run) -> list[float]:
    """Webhook by webhook while people talk, each until its accept is on the wire."""
    calls = await in_db(stage.dialled)(REQUESTS)
    times = []
    await asyncio.sleep(WARM_S)
    async with httpx.AsyncClient(base_url=run.address) as http:
        for call in calls:
            await asyncio.sleep(PAUSE_S)
            if run.wires.said.done():
                break
            ai_call_id = stage.fresh_ai_call_id()
            request = signed(run.contracts, call, ai_call_id)
            arrival, started = run.wires.awaits("accept", ai_call_id), perf_counter()
            answer = await http.post("/webhooks/openai", headers=request["headers"], content=request["body"])
            _expect(answer, 200)
            times.append(await arrival.at() - started)
    return times


async def _clicks(run: _Run) -> list[tuple[float, float]]:
    """Click by click while people talk, each until its REFER is on the wire, and its redirect after the deadline."""
    calls = await in_db(stage.live)(REQUESTS)
    headers = {"authorization": f"Bearer {run.token}"}
    await asyncio.sleep(WARM_S)
    async with httpx.AsyncClient(base_url=run.address, headers=headers) as http:
        return [await _click(run, http, call) for call in calls if not run.wires.said.done()]


async def _click(run: _Run, http: httpx.AsyncClient, call: Call) -> tuple[float, float]:
    refer = run.wires.awaits("refer", call.ai_call_id or "")
    redirect = run.wires.awaits("redirect", call.carrier_sid or "")
    started = perf_counter()
    answer = await http.post(f"/api/calls/{call.pk}/transfers", json={"destination": stage.DESK})
    _expect(answer, 202)
    attempt_id = answer.json()["id"]
    referred = await refer.at() - started
    deadline = await in_db(deadline_of)(attempt_id)
    redirected = await redirect.at() - on_our_clock(deadline)
    _expect(await http.post(f"/api/transfers/{attempt_id}/cancel"), 202)
    return referred, redirected


def _expect(answer: httpx.Response, status: int) -> None:
    if answer.status_code != status:
        raise CannotMeasure(f"{answer.request.url.path} was answered {answer.status_code}: {answer.text[:200]}")


@contextlib.asynccontextmanager
async def serving(env: dict[str, str]) -> AsyncIterator[tuple[Sequence[Child], str]]:
    """`serve` on a free port, ready; with Redis it has no engine, and one works beside it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ("-m", "django", "serve", "--port", str(port))
    async with contextlib.AsyncExitStack() as held:
        servers = [await held.enter_async_context(child(*words, *(["--no-engine"] if REDIS else []), env=env))]
        if REDIS:
            servers.append(await held.enter_async_context(child("-m", "django", "engine", env=env)))
        for server in servers:
            await server.hear()
        yield servers, f"http://127.0.0.1:{port}"


async def until_open(ai_call_ids: list[str]) -> None:
    """All of these sidebands are noted as open. Raises `CannotMeasure`."""
    end_at = perf_counter() + READY_MAY_TAKE_S
    while (found := await in_db(_open)(ai_call_ids)) < len(ai_call_ids):
        if perf_counter() > end_at:
            raise CannotMeasure(f"Only {found} of {len(ai_call_ids)} sidebands were open in {READY_MAY_TAKE_S:g} s.")
        await asyncio.sleep(0.2)


def _open(ai_call_ids: list[str]) -> int:
    return AiSession.objects.filter(ai_call_id__in=ai_call_ids, opened_at__isnull=False).count()


async def _until_stored(ai_call_ids: list[str], each: int) -> int:
    """How many events that were sent are not in the database, after a while in which they may get there."""
    end_at = perf_counter() + STORING_MAY_TAKE_S
    while (unstored := await in_db(_unstored)(ai_call_ids, each)) and perf_counter() < end_at:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    return unstored


def _unstored(ai_call_ids: list[str], each: int) -> int:
    """Events that were sent and are not in the database."""
    batches = FrameBatch.objects.filter(session__ai_call_id__in=ai_call_ids)
    return each * len(ai_call_ids) - sum(batches.values_list("count", flat=True))


def _cpu_s(servers: Sequence[Child]) -> float:
    """CPU time of the servers' processes with all of their threads, as Linux counts it."""
    stats = (Path(f"/proc/{each.process.pid}/stat").read_text().rpartition(")")[2].split() for each in servers)
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


def _figures(seen: Seen) -> list[Figure]:
    who = "web and engine" if REDIS else "the server"
    load = f"{CALLS} calls × {PACE} events/s × {BROWSERS} browsers, {who} on {seen.cores:.2f} cores"
    complete = not (seen.missing or seen.stray or seen.unstored)
    rows = f"missing in browsers {seen.missing}, stray {seen.stray}, not stored {seen.unstored}"
    return [
        _figure("event to row in a browser, p50", seen.rows, 0.5, load),
        _figure("event to row in a browser, p99", seen.rows, 0.99, rows, ROW_GOAL_MS, complete=complete),
        _figure("under load: webhook to accept, p50", seen.accepts, 0.5, load),
        _figure(
            "under load: webhook to accept, p99", seen.accepts, 0.99, f"{len(seen.accepts)} webhooks", WIRE_GOAL_MS
        ),
        _figure("under load: click to REFER, p50", seen.refers, 0.5, load),
        _figure("under load: click to REFER, p99", seen.refers, 0.99, f"{len(seen.refers)} clicks", WIRE_GOAL_MS),
        _figure("under load: deadline to redirect, p50", seen.redirects, 0.5, load),
        _figure("under load: deadline to redirect, p99", seen.redirects, 0.99, "as many deadlines", WIRE_GOAL_MS),
    ]


def _figure(
    what: str, seconds: list[float], share: float, beside: str, goal_ms: float | None = None, *, complete: bool = True
) -> Figure:
    value_ms = percentile(seconds, share) * 1000
    figure = Figure(what, f"{value_ms:.1f} ms", None, beside)
    if goal_ms is None:
        return figure
    reached = "yes" if value_ms < goal_ms and complete else "no"
    return Figure(what, figure.value, None, beside, f"below {goal_ms:g} ms", reached)
