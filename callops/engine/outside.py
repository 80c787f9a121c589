"""The two providers as the engine reaches them: one pool of connections each."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from callops.core.config import Config
from callops.providers import openai, twilio
from callops.providers.openai import calls as ai_calls
from callops.providers.openai.sideband import Sideband
from callops.providers.receipt import Receipt
from callops.providers.told import Told, told
from callops.providers.twilio import calls as carrier_calls
from callops.providers.twilio.calls import CarrierCall

REFER_TIMEOUT_S = 10.0
ACCEPT_TIMEOUT_S = 4.5


@dataclass(frozen=True, slots=True)
class Outside:
    """What the engine may ask of the providers; every answer is told, none is judged here."""

    openai: httpx.AsyncClient
    twilio: httpx.AsyncClient
    settings: Config

    async def accept(self, ai_call_id: str, payload: Mapping[str, Any]) -> Told:
        return await told(ai_calls.accept(self.openai, ai_call_id, payload, timeout_s=ACCEPT_TIMEOUT_S))

    async def refer(self, ai_call_id: str, target_uri: str) -> Told:
        return await told(ai_calls.refer(self.openai, ai_call_id, target_uri=target_uri, timeout_s=REFER_TIMEOUT_S))

    async def hang_up_ai(self, ai_call_id: str) -> Told:
        return await told(ai_calls.hangup(self.openai, ai_call_id))

    async def sideband(self, ai_call_id: str) -> Sideband:
        return await Sideband.connect(self.settings.openai_base_url, self.settings.openai_api_key, ai_call_id)

    async def redirect(self, call_sid: str, url: str) -> Told:
        return await told(
            carrier_calls.redirect(
                self.twilio, account_sid=self.settings.twilio_account_sid, call_sid=call_sid, url=url
            )
        )

    async def make_call(self, *, from_: str, to: str, twiml: str, longest_s: int) -> Told:
        account = self.settings.twilio_account_sid
        return await told(
            carrier_calls.make(self.twilio, account_sid=account, from_=from_, to=to, twiml=twiml, longest_s=longest_s)
        )

    async def complete(self, call_sid: str) -> Told:
        return await told(self._complete(call_sid))

    async def look_up(self, call_sid: str) -> CarrierCall:
        return await carrier_calls.fetch(self.twilio, account_sid=self.settings.twilio_account_sid, call_sid=call_sid)

    async def live_calls(self) -> frozenset[str]:
        return await carrier_calls.live(self.twilio, account_sid=self.settings.twilio_account_sid)

    async def children(self, call_sid: str) -> tuple[CarrierCall, ...]:
        return await carrier_calls.children(
            self.twilio, account_sid=self.settings.twilio_account_sid, parent_sid=call_sid
        )

    async def close(self) -> None:
        await self.openai.aclose()
        await self.twilio.aclose()

    def _complete(self, call_sid: str) -> Awaitable[Receipt]:
        account = self.settings.twilio_account_sid
        return carrier_calls.complete(self.twilio, account_sid=account, call_sid=call_sid)


def reach(settings: Config) -> Outside:
    """Clients for both providers at the addresses of the settings, whatever stands there."""
    return Outside(
        openai=openai.client(settings.openai_base_url, settings.openai_api_key),
        twilio=twilio.client(
            settings.twilio_base_url,
            settings.twilio_account_sid,
            settings.twilio_auth_tokens[0] if settings.twilio_auth_tokens else "",
            settings.twilio_api_key_sid,
            settings.twilio_api_key_secret,
        ),
        settings=settings,
    )
