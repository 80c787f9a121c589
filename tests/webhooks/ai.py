"""OpenAI's side of the door: signed deliveries, and a loopback OpenAI that takes what is accepted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any, Self

from aiohttp import web
from django.http import HttpResponse
from django.test import AsyncClient

from callops.core import clock
from callops.core.config import config
from tests.rows import CALLER

CALL_ID = "rtc_u1_EmLyXSbXOIkDj8Q6xzR8t"


def signature(secret: str, delivery: str, stamp: str, body: str) -> str:
    """Standard Webhooks, as contract OpenAI 1.3 says it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{delivery}.{stamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


async def deliver(body: str, *, delivery: str = "wh_1", secret: str = "", at: datetime | None = None) -> HttpResponse:
    """One signed delivery of this body."""
    stamp = str(int((at or clock.now()).timestamp()))
    signed = signature(secret or config().openai_webhook_secrets[0], delivery, stamp, body)
    return await post(body, {"webhook-id": delivery, "webhook-timestamp": stamp, "webhook-signature": signed})


async def post(body: str, headers: dict[str, str]) -> HttpResponse:
    """One delivery with just these headers."""
    return await AsyncClient().post("/webhooks/openai", data=body, content_type="application/json", headers=headers)


def announcement(
    *, call_id: str = CALL_ID, caller: str = CALLER, at: datetime | None = None, **headers: str
) -> dict[str, Any]:
    """`realtime.call.incoming` about one call; underscores in header names stand for hyphens."""
    sip = {"From": f'"{caller}" <sip:{caller}@pstn.twilio.com:5060>;tag=1', "To": "<sip:proj_x@sip.api.openai.com>"}
    named = sip | {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "id": "evt_1",
        "object": "event",
        "created_at": int((at or clock.now()).timestamp()),
        "type": "realtime.call.incoming",
        "data": {"call_id": call_id, "sip_headers": [{"name": n, "value": v} for n, v in named.items()]},
    }


async def announce(*, delivery: str = "wh_1", **about: Any) -> HttpResponse:
    """A call is announced by a genuine delivery."""
    return await deliver(json.dumps(announcement(**about)), delivery=delivery)


class OpenAi:
    """Takes accepts on the loopback and answers them with the given statuses, the last one for ever."""

    def __init__(self) -> None:
        self.statuses: list[int | None] = [200]
        self.headers = {"x-request-id": "req_1", "openai-processing-ms": "5"}
        self.accepts: list[tuple[str, dict[str, Any]]] = []
        self._application = web.Application()
        self._application.router.add_post("/v1/realtime/calls/{call_id}/accept", self._accept)

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _accept(self, request: web.Request) -> web.Response:
        self.accepts.append((request.match_info["call_id"], await request.json()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if status < 400:
            return web.Response(status=status, headers=self.headers)
        error = {"message": "No.", "type": "invalid_request_error", "code": "refused", "param": ""}
        return web.json_response({"error": error}, status=status)
