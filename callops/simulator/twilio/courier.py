"""Carries webhooks to the app: signs, waits, repeats, follows redirects, and writes everything down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit
from uuid import uuid4

import aiohttp
from yarl import URL

from callops.simulator.twilio.config import TwilioConfig
from callops.simulator.twilio.overrides import Overrides, overrides_of
from callops.simulator.twilio.record import Record
from callops.simulator.twilio.signing import signature_headers

MAX_REDIRECTS = 10
MAX_BYTES = 64 * 1024
AGENT = "TwilioProxy/1.1"


class DeliveryFailed(Exception):
    """The app could not be reached or did not answer as it must; `code` is Twilio's (11200, 11205, 11215, 11750)."""

    def __init__(self, code: int, url: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.url = urldefrag(url).url
        self.text = text


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app said: the URL that answered in the end, status, content type without parameters, text."""

    url: str
    status: int
    content_type: str
    body: str


@dataclass(frozen=True, slots=True)
class _Attempt:
    answer: Answer | None = None
    failure: str | None = None
    code: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One request to be made: where, how, with what, and why."""

    url: str
    method: str
    parameters: Mapping[str, str]
    purpose: str
    call_sid: str
    counts_body: bool = True
    """Whether the 64 KB limit of documents applies."""
    token: str = field(default_factory=lambda: str(uuid4()))
    """`I-Twilio-Idempotency-Token`: the same on every attempt and every repetition of one delivery."""


class Courier:
    """The only one who makes requests to the app."""

    def __init__(self, config: TwilioConfig, http: aiohttp.ClientSession, record: Record) -> None:
        self._config = config
        self._http = http
        self._record = record

    async def deliver(self, parcel: Parcel) -> Answer:
        """The app's 2xx answer; `DeliveryFailed` otherwise (contract Twilio 1.2 and 1.4)."""
        plan = overrides_of(parcel.url)
        entry = self._record.add(
            "webhook",
            purpose=parcel.purpose,
            call_sid=parcel.call_sid,
            method=parcel.method,
            url=parcel.url,
            params=dict(parcel.parameters),
            idempotency_token=parcel.token,
            attempts=0,
        )
        attempt = _Attempt(code=11205, failure="rt", text="not sent in time")
        try:
            async with asyncio.timeout(plan.total_s):
                for _ in range(plan.retries + 1):
                    entry["attempts"] += 1
                    attempt = await self._attempt(parcel, plan)
                    if not plan.repeats(attempt.failure):
                        break
        except TimeoutError:
            attempt = _Attempt(code=11205, failure="rt", text="total time exceeded")
        answer = attempt.answer
        entry.update(
            status=answer.status if answer else None,
            answer=answer.body if answer else None,
            error_code=attempt.code,
            answered_t=self._record.elapsed(),
        )
        if answer is None or attempt.code is not None:
            raise DeliveryFailed(attempt.code or 11200, parcel.url, attempt.text)
        return answer

    async def _attempt(self, parcel: Parcel, plan: Overrides) -> _Attempt:
        try:
            return await self._follow(parcel, plan)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return _Attempt(code=11205, failure="ct", text=str(error))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return _Attempt(code=11205, failure="rt", text=repr(error))

    async def _follow(self, parcel: Parcel, plan: Overrides) -> _Attempt:
        url, method, parameters = urldefrag(parcel.url).url, parcel.method, dict(parcel.parameters)
        for _ in range(MAX_REDIRECTS + 1):
            status, headers, raw = await self._send(url, method, parameters, plan, parcel.token)
            location = headers.get("Location")
            if status not in (301, 302, 303, 307, 308) or location is None:
                return _judged(url, status, headers, raw, limited=parcel.counts_body)
            url = urldefrag(urljoin(url, location)).url
            if status in (301, 302, 303):
                method, parameters = "GET", {}
        return _Attempt(code=11215, text="HTTP: too many redirects")

    async def _send(
        self, url: str, method: str, parameters: dict[str, str], plan: Overrides, token: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        if method == "GET" and parameters:
            url = f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(parameters)}"
        form = parameters if method == "POST" else {}
        headers = {"User-Agent": AGENT, "I-Twilio-Idempotency-Token": token, "Accept": "*/*"}
        headers |= signature_headers(self._config, url, form)
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        async with self._http.request(
            method,
            URL(url, encoded=True),
            data=urlencode(form).encode() if method == "POST" else None,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(sock_connect=plan.connect_s, sock_read=plan.read_s),
        ) as response:
            return response.status, response.headers, await response.read()


def _judged(url: str, status: int, headers: Mapping[str, str], raw: bytes, *, limited: bool) -> _Attempt:
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    answer = Answer(url, status, kind, raw.decode("utf-8", "replace"))
    if not 200 <= status < 300:
        failure = f"{status // 100}xx"
        return _Attempt(answer, failure, 11200, f"HTTP retrieval failure: {status}")
    if limited and len(raw) > MAX_BYTES:
        return _Attempt(answer, None, 11750, "TwiML response body too large")
    return _Attempt(answer)
