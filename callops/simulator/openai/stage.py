"""The OpenAI half of the stage: takes INVITEs, sends webhooks, answers REST and the sideband, keeps a record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web

from callops.simulator.openai.call import AiCall
from callops.simulator.openai.config import OpenAiConfig
from callops.simulator.openai.record import Record
from callops.simulator.openai.rest import Rest
from callops.simulator.openai.webhook import Courier
from callops.simulator.sip import AiLeg, CarrierLeg, Invite

KEPT_CALLS = 500

__all__ = ["AiCall", "OpenAiConfig", "OpenAiStage", "openai_app"]


class OpenAiStage:
    """One simulated project; it is the `AiSide` the carrier dials.

    `caller_leaves` is told when a conversation has come to the point where its caller hangs up. That moment
    follows the conversation as it was really played, with every pause it made for the client.
    """

    def __init__(
        self,
        config: OpenAiConfig,
        http: aiohttp.ClientSession,
        caller_leaves: Callable[[AiCall], None] | None = None,
    ) -> None:
        self.calls: dict[str, AiCall] = {}
        self._config = config
        self._record = Record()
        self._rest = Rest(config, self._record, self.calls)
        self._courier = Courier(config, http, self._record)
        self._caller_leaves = caller_leaves
        self._deliveries: set[asyncio.Task[None]] = set()

    @property
    def record(self) -> list[dict[str, Any]]:
        """Everything received and sent, in order (`kind`, `at`, `t`, `call_id`, …); `refused` says what was wrong."""
        return self._record.entries

    def routes(self) -> list[web.RouteDef]:
        """REST and sideband, ready to be added to an application."""
        return self._rest.routes()

    def invite(self, invite: Invite, carrier: CarrierLeg) -> AiLeg:
        """Start a dialog. Raises `UnknownConversation` for a scenario whose conversation does not exist."""
        call = AiCall(invite, carrier, config=self._config, record=self._record, caller_leaves=self._caller_leaves)
        self._forget_old_calls()
        self.calls[call.id] = call
        headers = [list(header) for header in invite.headers]
        self._record.add("invite", call_id=call.id, uri=invite.uri, headers=headers, scenario=invite.scenario.name)
        if delivery := call.ring(self._courier):
            self._deliveries.add(delivery)
            delivery.add_done_callback(self._deliveries.discard)
        return call

    async def close(self) -> None:
        """End every call and delivery, and let go of held requests; to be called before the server stops."""
        self._rest.close()
        for call in self.calls.values():
            call.bye()
        deliveries = list(self._deliveries)
        for delivery in deliveries:
            delivery.cancel()
        await asyncio.gather(*deliveries, return_exceptions=True)

    def _forget_old_calls(self) -> None:
        ended = [call.id for call in self.calls.values() if call.over.is_set()]
        for call_id in ended[: max(0, len(self.calls) - KEPT_CALLS)]:
            del self.calls[call_id]


def openai_app(stage: OpenAiStage) -> web.Application:
    """A web application that serves one stage and closes it when it shuts down."""

    async def close(app: web.Application) -> None:
        await stage.close()

    app = web.Application()
    app.add_routes(stage.routes())
    app.on_shutdown.append(close)
    return app
