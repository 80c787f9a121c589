"""The engine: compares what the database wants with what is running, claims by lease, and works.

It wakes on a notification, when something falls due, or after at most a second (design.md section 2). Any number of
engines may run; every claim is decided in the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime

from django.db import DatabaseError

from callops.alerts import watching
from callops.canary import keeping
from callops.core import beats, clock
from callops.core.config import config
from callops.core.database import AWAY, in_db, in_db_patiently, is_cut_off
from callops.core.ids import new_token
from callops.core.precedence import stand_aside
from callops.core.service import STOP_MAY_TAKE_S, Budget
from callops.core.timekeeping import keep_time, learn_time
from callops.custody import clocks
from callops.engine import carrier, deadlines, ghosts, reconciling, sessions, silences, telling, whose_leg, writer
from callops.engine.canaries import place
from callops.engine.host import SidebandHost
from callops.engine.moving import Mover
from callops.engine.outside import reach
from callops.engine.rhythm import LOOK_EVERY_S, Rhythm
from callops.engine.transferring import Transferring
from callops.sideband import acceptance, deciding, joining, leases, succession
from callops.supervision import progress
from callops.transfers import company

logger = logging.getLogger(__name__)

SLOW_LOOK_EVERY_S = 0.5
BREATH_S = 0.05
GIVE_BACK_S = STOP_MAY_TAKE_S - 3.0
"""All the steps of stopping together; what is left is for giving the leases back while the process still waits."""
DRAIN_S = 8.0
HAND_OVER_S = 8.0
HAND_OVER_LOOK_S = 0.1


class Engine:
    """One worker; `run` works until `stop` was called, and `stop` gives every lease back."""

    def __init__(self, *, owner: str | None = None) -> None:
        self.owner = owner or f"engine-{new_token()[:12]}"
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._slow_look_at: float | None = None
        self._looked_at = 0.0
        self._was_cut_off = False
        self._may_claim_from = 0.0
        self._is_new = True

    async def run(self) -> None:
        """Work until told to stop; a failing look is logged and made again."""
        self._outside = reach(config())
        self._host = SidebandHost(owner=self.owner, outside=self._outside)
        self._mover = Mover(self._outside, clock=clock.now)
        transferring = Transferring(self._mover, start=self._start, clock=clock.now)
        hosting = asyncio.create_task(self._host.arun())  # type: ignore[no-untyped-call]
        try:
            await learn_time(stopping=self._stopping)
            async with asyncio.TaskGroup() as looking:  # when one fails, nothing is claimed by the other any more
                looking.create_task(Rhythm(self._look, breath_s=BREATH_S).run(self._stopping))
                looking.create_task(transferring.run(self._stopping))
        finally:
            await self._give_back(hosting)

    async def stop(self) -> None:
        """No work is under way and no lease is held afterwards."""
        self._stopping.set()
        await self._stopped.wait()

    async def _look(self) -> float:
        """One comparison of wanted and running; everything long becomes a job of its own."""
        await stand_aside()
        now = clock.now()
        self._looked_at = asyncio.get_running_loop().time()
        slow = (
            (
                self._keep_time,
                self._keep_leases,
                self._inherit,
                self._accept,
                self._check,
                self._join,
                self._reconcile,
                self._watch,
                self._sing,
                self._forget,
            )
            if self._slow_look_is_due()
            else ()
        )
        for look in (self._attach, self._heed, *slow):
            try:
                await look(now)
            except AWAY as error:  # then there is nothing else to be seen either
                logger.warning("The database could not be looked at; it is tried again. (%s)", error)
                self._was_cut_off |= is_cut_off(error) and not config().is_sqlite
                break
            except Exception:
                logger.exception("A look of the engine failed; it is made again in a second.")
        return LOOK_EVERY_S

    def _slow_look_is_due(self) -> bool:
        """Leases, deadlines and questions to the carrier need no look at every notification; however clocks are set."""
        due = self._slow_look_at is None or self._looked_at - self._slow_look_at >= SLOW_LOOK_EVERY_S
        if due:
            self._slow_look_at = self._looked_at
        return due

    async def _keep_time(self, now: datetime) -> None:
        await in_db(keep_time)(is_busy=sessions.anybody_is_on_the_line)

    async def _keep_leases(self, now: datetime) -> None:
        held = self._host.held
        if held:
            still = await in_db(leases.renew)(held, owner=self.owner)
            for lost in held - still:
                self._host.detach(lost)

    async def _reconcile(self, now: datetime) -> None:
        """At the start, and every minute by one engine: what we believe live is compared with the carrier."""
        await in_db_patiently(beats.engine_lives)(self.owner, now, self._load())
        at_start, self._is_new = self._is_new, False
        if await in_db(reconciling.is_our_turn)(now, at_start=at_start):
            self._start("reconcile", reconciling.reconcile(self._outside, clock=clock.now))

    def _load(self) -> dict[str, int]:
        """What `/metrics` shows of this engine, wherever it is asked."""
        batches, events = writer.waiting()
        capacity = config().engine_capacity
        return {"calls": len(self._host.held), "capacity": capacity, "batches": batches, "events": events}

    async def _watch(self, now: datetime) -> None:
        """Incidents open and close by themselves, looked at by one process every ten seconds."""
        await in_db_patiently(watching.look_in_turn)(now)

    async def _sing(self, now: datetime) -> None:
        """Test calls that are due, and how those under way go on, by one process every second."""
        for begun in await in_db_patiently(keeping.look_in_turn)(now):
            self._start(f"canary:{begun.pk}", place(self._outside, begun, clock=clock.now))

    async def _forget(self, now: datetime) -> None:
        """What has been kept long enough is deleted, a few calls at a time, by one process every ten minutes."""
        await in_db(clocks.run_in_turn)(now)

    async def _attach(self, now: datetime) -> None:
        """Our share of what nobody holds. What is still being cleared away here cannot be taken again yet."""
        if not await self._others_could_renew():
            return
        claim = in_db(leases.claim_share)
        capacity = config().engine_capacity
        for session_id in await claim(owner=self.owner, capacity=capacity, but_not=self._host.held):
            self._host.attach(await in_db(sessions.served)(session_id))

    async def _others_could_renew(self) -> bool:
        """Not so for a lease's length after the database was away: all leases ran out, and their owners still read."""
        moment = asyncio.get_running_loop().time()
        if self._was_cut_off:
            await in_db(leases.renew)(self._host.held, owner=self.owner)
            self._was_cut_off, self._may_claim_from = False, moment + leases.LEASE_S
        return moment >= self._may_claim_from

    async def _inherit(self, now: datetime) -> None:
        """What an engine that is about to leave has on offer is taken over without a gap."""
        for session_id in await in_db(succession.offered)(self.owner):
            full = len(self._host.held) >= config().engine_capacity
            if full or session_id in self._host.held:
                continue
            if await in_db(succession.inherit)(session_id, self.owner):
                self._host.attach(await in_db(sessions.served)(session_id), inherits=True)

    async def _accept(self, now: datetime) -> None:
        """Decisions whose decider died are taken over while the caller may still be waiting."""
        for session_id in await in_db(acceptance.undecided)(now):
            decision = await in_db(acceptance.claim)(session_id, owner=self.owner, now=now)
            if decision is not None:
                work = deciding.carry_out(decision, accept=self._outside.accept, clock=clock.now)
                self._start(f"accept:{session_id}", work)

    async def _heed(self, now: datetime) -> None:
        """What people want: calls ended, and acts in the conversations that this process holds. And assistants are told
        how transfers ended.
        """
        ends, acts, untold = await in_db(_wishes)(now, self._host.held)
        for call_id in ends:
            self._start(f"end:{call_id}", deadlines.end(self._outside, call_id, now=clock.now()))
        for session_id, act_id in acts:
            self._host.act(session_id, act_id)
        for attempt_id in untold:
            self._start(f"tell:{attempt_id}", telling.say_how_it_ended(attempt_id, now=now))

    async def _check(self, now: datetime) -> None:
        """What the clock finds, and what is to be asked of the providers because of it."""
        unwanted, questions = await in_db_patiently(_found_by_clock)(now)
        for session_id in unwanted:
            self._start(f"ghost:{session_id}", ghosts.end(self._outside, session_id, clock=clock.now))
        for call_id in questions:
            self._start(f"check:{call_id}", self._ask_carrier, call_id)

    async def _join(self, now: datetime) -> None:
        """Halves that were joined by a guess, or not at all: the carrier knows, and is asked after the accept."""
        for session_id, sid in await in_db(joining.questions)(now):
            self._start(f"join:{session_id}", whose_leg.ask(self._outside, session_id, sid, clock=clock.now))

    async def _ask_carrier(self, call_id: str) -> None:
        await carrier.ask(self._outside, call_id, now=clock.now())

    def _start(self, name: str, work: Awaitable[None] | Callable[..., Awaitable[None]], *args: object) -> bool:
        """A job by that name is running; one that is running already goes on, and False is returned."""
        if name in self._jobs:
            if asyncio.iscoroutine(work):
                work.close()
            return False
        todo = work(*args) if callable(work) else work
        task: asyncio.Task[None] = asyncio.ensure_future(todo)
        self._jobs[name] = task
        task.add_done_callback(lambda done: self._finished(name, done))
        return True

    def _finished(self, name: str, task: asyncio.Task[None]) -> None:
        self._jobs.pop(name, None)
        if not task.cancelled() and (error := task.exception()):
            logger.error("The job %s failed", name, exc_info=error)

    async def _give_back(self, hosting: asyncio.Task[None]) -> None:
        """Sockets, jobs and leases, in this order, so that another engine can go on at once."""
        budget = Budget(GIVE_BACK_S, clock=asyncio.get_running_loop().time)
        try:
            await self._hand_over(within_s=budget.share(HAND_OVER_S))
            await self._host.empty(within_s=budget.share(DRAIN_S))
            if self._jobs:
                await asyncio.wait(self._jobs.values(), timeout=budget.share(DRAIN_S))
            await self._mover.finish(within_s=budget.share(DRAIN_S))
            hosting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await hosting
            with contextlib.suppress(DatabaseError):  # then they run out
                await in_db(leases.release)(self.owner)
            await self._outside.close()
        finally:
            self._stopped.set()

    async def _hand_over(self, *, within_s: float) -> None:
        """The sidebands are with other engines, if there are any, or a while has passed."""
        told: set[int] = set()
        with contextlib.suppress(TimeoutError, DatabaseError):
            async with asyncio.timeout(within_s):
                await in_db(beats.engine_left)(self.owner)
                if not self._host.held or await in_db(beats.engines)(clock.now()) == 0:
                    return
                await in_db(succession.offer)(self.owner)
                while await in_db(leases.renew)(self._host.held, owner=self.owner):
                    for session_id in set(await in_db(succession.relieved)(self.owner)) - told:
                        told.add(session_id)
                        self._host.relieve(session_id)
                    await asyncio.sleep(HAND_OVER_LOOK_S)


def _wishes(now: datetime, held: Collection[int]) -> tuple[list[str], list[tuple[int, str]], list[str]]:
    """Calls to end, acts for the sessions that are held, and transfers whose end is to be told."""
    return deadlines.wished_ends(now), progress.waiting(held) if held else [], company.untold_ends()


def _found_by_clock(now: datetime) -> tuple[list[int], list[str]]:
    """What stayed away is noted; ghosts to end, and calls about which the carrier is to be asked."""
    for note in (
        deadlines.missing_webhooks,
        deadlines.sessions_near_their_end,
        silences.dead_air,
        progress.give_up,
        silences.said_not_done,
    ):
        note(now)
    return ghosts.wanted(now), carrier.questions(now)
