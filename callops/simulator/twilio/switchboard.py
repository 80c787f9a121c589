"""What every part of the carrier shares: calls, the way to the app, the way to the AI, running tasks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

import aiohttp

from callops.simulator.sip import AiSide
from callops.simulator.twilio.alerts import Alert, Alerts
from callops.simulator.twilio.calls import Call
from callops.simulator.twilio.config import TwilioConfig
from callops.simulator.twilio.courier import Answer, Courier, DeliveryFailed, Parcel
from callops.simulator.twilio.record import Record

KEPT_LEGS = 2_000

log = logging.getLogger(__name__)


class Switchboard:
    """One account's worth of shared state; everything runs on one event loop."""

    def __init__(self, config: TwilioConfig, http: aiohttp.ClientSession, ai: AiSide) -> None:
        self.config = config
        self.ai = ai
        self.record = Record()
        self.courier = Courier(config, http, self.record)
        self.alerts = Alerts(self.record, self._tell_debugger)
        self.calls: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = asyncio.Event()

    def open_call(self, call: Call) -> Call:
        """Enter a new leg into the books; the oldest calls that are over are forgotten beyond `KEPT_LEGS`."""
        if len(self.calls) > KEPT_LEGS:
            over = [sid for sid, leg in self.calls.items() if leg.ended and leg.caller.ended]
            for sid in over[: KEPT_LEGS // 10]:
                del self.calls[sid]
        self.calls[call.sid] = call
        parent_sid = call.parent.sid if call.parent else None
        self.record.add("leg", call_sid=call.sid, parent_call_sid=parent_sid, event="created", to=call.to)
        return call

    def note(self, call: Call, event: str, **fields: Any) -> None:
        """Write down what happened on a leg."""
        self.record.add("leg", call_sid=call.sid, event=event, status=call.status, **fields)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something beside the calls; it ends with the stage at the latest, and its failure is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, DeliveryFailed):
            log.error("a task of the carrier failed", exc_info=error)

    def tell(self, call: Call, url: str, extra: Mapping[str, str], *, purpose: str, method: str = "POST") -> None:
        """Request a URL whose answer does not steer anything, beside the call; lost when the scenario says so."""
        parameters = call.parameters() | dict(extra)
        if call.scenario.callbacks == "all_lost":
            self.record.add("lost_callback", call_sid=call.sid, purpose=purpose, params=parameters)
            return
        self.spawn(self._request(call, Parcel(url, method, parameters, purpose, call.sid)))

    async def _request(self, call: Call, parcel: Parcel) -> Answer | None:
        try:
            return await self.courier.deliver(parcel)
        except DeliveryFailed as failure:
            self.alerts.sound(call, failure.code, failure.text, level="warning", url=failure.url)
            return None

    def _tell_debugger(self, alert: Alert) -> None:
        url = self.config.debugger_url
        if url is not None:
            parcel = Parcel(url, "POST", alert.as_debugger_request(), "debugger", alert.call.sid)
            self.spawn(self._deliver_later(parcel))

    async def _deliver_later(self, parcel: Parcel) -> None:
        await self.pause(self.config.debugger_delay_s)
        await self.courier.deliver(parcel)

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than the stage lives."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return

    async def close(self) -> None:
        """End everything that still runs."""
        self._closing.set()
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
