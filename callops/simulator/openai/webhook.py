"""The `realtime.call.incoming` webhook: body, signature, delivery with retries (contract OpenAI 1)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from standardwebhooks import Webhook

from callops.simulator.openai import ids
from callops.simulator.openai.config import OpenAiConfig
from callops.simulator.openai.record import Record
from callops.simulator.sip import Invite

USER_AGENT = "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)"
GIVES_UP_S = 72 * 3600.0
HOURLY_S = 3600.0
MOST_REPEATS = 60
WITHHELD = frozenset({"authorization", "proxy-authorization"})


def incoming(call_id: str, invite: Invite, created_at: int) -> str:
    """The webhook's body: the headers of the INVITE in order and case, but its authorization (contract OpenAI 2)."""
    headers = [{"name": name, "value": value} for name, value in invite.headers if name.lower() not in WITHHELD]
    media = "srtp" if invite.srtp else "rtp"
    body: dict[str, Any] = {
        "id": ids.dated_hex("evt_", created_at),
        "object": "event",
        "created_at": created_at,
        "type": "realtime.call.incoming",
        "data": {"call_id": call_id, "sip_headers": headers, "sip_media_security": media},
    }
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def signed(webhook_id: str, sent_at: datetime, body: str, secrets: Iterable[str]) -> dict[str, str]:
    """The headers of one delivery; one signature per secret (contract OpenAI 1.3)."""
    return {
        "user-agent": USER_AGENT,
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(webhook_id, sent_at, body) for secret in secrets),
    }


@dataclass(frozen=True)
class Courier:
    """Carries one project's webhooks."""

    config: OpenAiConfig
    http: aiohttp.ClientSession
    record: Record

    async def deliver(self, call_id: str, invite: Invite, *, answered: asyncio.Event) -> None:
        """POST until somebody answers 2xx, which sets `answered`; as often at once, or again, as the scenario says."""
        created_at = int(time.time())
        body, webhook_id = incoming(call_id, invite, created_at), ids.dated_hex("wh_", created_at)
        waits = iter(self._waits_s(invite.scenario.webhook_retry_s))
        copies, lost = (3 if invite.scenario.webhook == "thrice" else 1), invite.scenario.webhook == "answer_lost"
        while not await self._attempts(call_id, webhook_id, body, copies=copies) or lost:
            lost = False
            if time.time() - created_at > GIVES_UP_S:
                return
            await asyncio.sleep(next(waits, HOURLY_S))
        answered.set()
        if invite.scenario.webhook == "duplicate":
            await self._attempt(call_id, webhook_id, body)

    def _waits_s(self, every_s: float | None) -> tuple[float, ...]:
        retries_s = self.config.webhook_retries_s
        return retries_s if every_s is None else (every_s,) * MOST_REPEATS

    async def _attempts(self, call_id: str, webhook_id: str, body: str, *, copies: int) -> bool:
        """Whether any of the copies, sent at the same time, was answered 2xx."""
        return any(await asyncio.gather(*(self._attempt(call_id, webhook_id, body) for _ in range(copies))))

    async def _attempt(self, call_id: str, webhook_id: str, body: str) -> bool:
        secrets = [secret for secret in (self.config.previous_webhook_secret, self.config.webhook_secret) if secret]
        headers = signed(webhook_id, datetime.now(UTC), body, secrets)
        self.record.add("webhook.sent", call_id=call_id, headers=headers, body=body)
        timeout = aiohttp.ClientTimeout(total=self.config.webhook_timeout_s)
        try:
            async with self.http.post(
                self.config.webhook_url, data=body.encode(), headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                self.record.add("webhook.answered", call_id=call_id, webhook_id=webhook_id, status=response.status)
                return 200 <= response.status < 300
        except (aiohttp.ClientError, TimeoutError) as error:
            self.record.add("webhook.failed", call_id=call_id, webhook_id=webhook_id, why=repr(error))
            return False
