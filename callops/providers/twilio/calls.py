"""What can be asked about and done to one leg: redirect, end, read (contract Twilio 3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from callops.providers import identifiers
from callops.providers.exchange import get, post
from callops.providers.receipt import ProviderError, Receipt
from callops.providers.twilio import API_VERSION
from callops.providers.twilio.values import moment, words

EXPECTED = ("twilio-request-id",)
OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
LIVE = ("queued", "ringing", "in-progress")
_PAGE_SIZE = "1000"
_MOST_PAGES = 50


@dataclass(frozen=True, slots=True)
class CarrierCall:
    """One leg as the carrier describes it at the time of `receipt`; times are aware, absent ones None."""

    sid: str
    parent_sid: str | None
    status: str
    direction: str
    from_: str
    to: str
    start_time: datetime | None
    end_time: datetime | None
    trunk_sid: str | None
    receipt: Receipt

    @property
    def is_over(self) -> bool:
        """Whether the status is one that never changes again (contract Twilio 7)."""
        return self.status in OVER


async def redirect(
    http: httpx.AsyncClient,
    *,
    account_sid: str,
    call_sid: str,
    url: str,
    fallback_url: str | None = None,
    timeout_s: float = 5.0,
) -> Receipt:
    """The carrier was asked to fetch `url` for that leg; its signed fetch, not this receipt, proves the redirect.

    `Refused` with code 21220 means that the call is over. Contract Twilio 3.1, 3.5.
    """
    form = {"Url": url, "Method": "POST"}
    if fallback_url:
        form |= {"FallbackUrl": fallback_url, "FallbackMethod": "POST"}
    path = _path(account_sid, call_sid)
    return await post(http, path, data=form, expected=EXPECTED, timeout_s=timeout_s)


async def make(
    http: httpx.AsyncClient,
    *,
    account_sid: str,
    from_: str,
    to: str,
    twiml: str,
    longest_s: int,
    timeout_s: float = 5.0,
) -> Receipt:
    """The carrier was asked to call `to` and run `twiml` when it answers, for `longest_s` seconds at most.

    Whether anything rings is seen only where it rings. Twilio's Calls resource [assumed; contract Twilio 3.4 names the
    direction of such legs].
    """
    path = f"/{API_VERSION}/Accounts/{identifiers.checked(account_sid, 'account_sid')}/Calls.json"
    form = {"From": from_, "To": to, "Twiml": twiml, "TimeLimit": str(longest_s)}
    return await post(http, path, data=form, expected=EXPECTED, timeout_s=timeout_s)


async def complete(http: httpx.AsyncClient, *, account_sid: str, call_sid: str, timeout_s: float = 5.0) -> Receipt:
    """The carrier was asked to end that leg, in whatever state it is (contract Twilio 3.1)."""
    path = _path(account_sid, call_sid)
    return await post(http, path, data={"Status": "completed"}, expected=EXPECTED, timeout_s=timeout_s)


async def fetch(http: httpx.AsyncClient, *, account_sid: str, call_sid: str, timeout_s: float = 5.0) -> CarrierCall:
    """One leg as the carrier knows it now; `Refused` with code 20404 when it is not in this account (3.4, 3.5)."""
    receipt, answer = await get(http, _path(account_sid, call_sid), expected=EXPECTED, timeout_s=timeout_s)
    return _carrier_call(answer, receipt)


async def children(
    http: httpx.AsyncClient, *, account_sid: str, parent_sid: str, timeout_s: float = 5.0
) -> tuple[CarrierCall, ...]:
    """The legs that were made for that one, in the carrier's order and up to 1000 of them (contract Twilio 3.4)."""
    params = {"ParentCallSid": identifiers.checked(parent_sid, "parent_sid"), "PageSize": _PAGE_SIZE}
    path = f"/{API_VERSION}/Accounts/{identifiers.checked(account_sid, 'account_sid')}/Calls.json"
    receipt, answer = await get(http, path, params=params, expected=EXPECTED, timeout_s=timeout_s)
    calls = answer.get("calls")
    if not isinstance(calls, list):
        raise ProviderError("the answer holds no list of calls", receipt=receipt)
    return tuple(_carrier_call(call, receipt) for call in calls)


async def live(http: httpx.AsyncClient, *, account_sid: str, timeout_s: float = 10.0) -> frozenset[str]:
    """The SIDs of all legs that are not over, at some time between the request and its answer (contract Twilio 3.4).

    One list for each status; a leg that changes its status between two lists may be missing, so a SID that is not
    here is a question and no answer. Raises `ProviderError` when a list cannot be read to its end.
    """
    found: set[str] = set()
    for status in LIVE:
        params: dict[str, str] | None = {"Status": status, "PageSize": _PAGE_SIZE}
        path = f"/{API_VERSION}/Accounts/{identifiers.checked(account_sid, 'account_sid')}/Calls.json"
        for _ in range(_MOST_PAGES):
            receipt, answer = await get(http, path, params=params, expected=EXPECTED, timeout_s=timeout_s)
            calls = answer.get("calls")
            if not isinstance(calls, list):
                raise ProviderError("the answer holds no list of calls", receipt=receipt)
            found.update(_carrier_call(call, receipt).sid for call in calls)
            following = words(answer.get("next_page_uri"))
            if following is None:
                break
            path, params = following, None
        else:
            raise ProviderError("the list of live calls has no end", receipt=receipt)
    return frozenset(found)


def _carrier_call(answer: object, receipt: Receipt) -> CarrierCall:
    fields: dict[str, Any] = answer if isinstance(answer, dict) else {}
    sid, status = words(fields.get("sid")), words(fields.get("status"))
    if sid is None or status is None:
        raise ProviderError("the answer is not a call", receipt=receipt)
    return CarrierCall(
        sid=sid,
        parent_sid=words(fields.get("parent_call_sid")),
        status=status,
        direction=words(fields.get("direction")) or "",
        from_=words(fields.get("from")) or "",
        to=words(fields.get("to")) or "",
        start_time=moment(fields.get("start_time")),
        end_time=moment(fields.get("end_time")),
        trunk_sid=words(fields.get("trunk_sid")),
        receipt=receipt,
    )


def _path(account_sid: str, call_sid: str) -> str:
    account, call = identifiers.checked(account_sid, "account_sid"), identifiers.checked(call_sid, "call_sid")
    return f"/{API_VERSION}/Accounts/{account}/Calls/{call}.json"
