"""What can be decided about one call: accept, reject, hang up, refer (contract OpenAI 3.2, 3.3).

None of these is retried here: there is no idempotency key, and a 409 is an answer (contract OpenAI 3.4).
"""

from collections.abc import Mapping
from typing import Any

import httpx

from callops.providers import identifiers, targets
from callops.providers.exchange import post
from callops.providers.openai import session as sessions
from callops.providers.receipt import Receipt

EXPECTED = ("x-request-id", "openai-processing-ms")


async def accept(
    http: httpx.AsyncClient, call_id: str, session: Mapping[str, Any], *, timeout_s: float = 10.0
) -> Receipt:
    """OpenAI was asked to take the call with this session; only an open sideband proves that it did.

    Raises `InvalidSession` before anything is sent, `Refused` (404 the call is gone, 409 somebody decided before) and
    `NoAnswer`. Contract OpenAI 3.2.
    """
    sessions.check(session)
    return await post(http, _path(call_id, "accept"), json=session, expected=EXPECTED, timeout_s=timeout_s)


async def reject(
    http: httpx.AsyncClient, call_id: str, *, status_code: int | None = None, timeout_s: float = 10.0
) -> Receipt:
    """The SIP answer `status_code` (603 when None) was sent to the caller's carrier. Contract OpenAI 3.3."""
    if status_code is not None and not 300 <= status_code <= 699:
        raise ValueError(f"a SIP rejection is 300 to 699, not {status_code}")
    body = {} if status_code is None else {"status_code": status_code}
    return await post(http, _path(call_id, "reject"), json=body, expected=EXPECTED, timeout_s=timeout_s)


async def hangup(http: httpx.AsyncClient, call_id: str, *, timeout_s: float = 10.0) -> Receipt:
    """OpenAI has begun to end its leg. `Refused` with 400, 404 or 409 means it was over. Contract OpenAI 3.3."""
    return await post(http, _path(call_id, "hangup"), expected=EXPECTED, timeout_s=timeout_s)


async def refer(http: httpx.AsyncClient, call_id: str, *, target_uri: str, timeout_s: float = 10.0) -> Receipt:
    """OpenAI was asked to send a REFER to `target_uri`; the receipt proves nothing more (contract OpenAI 5.1).

    A silent failure is also a 200, in the field without `x-request-id`: see `Receipt.absent`. Raises `ValueError` for
    a target that is neither `tel:+E164` nor `sip:user@host`.
    """
    body = {"target_uri": targets.checked(target_uri)}
    return await post(http, _path(call_id, "refer"), json=body, expected=EXPECTED, timeout_s=timeout_s)


def _path(call_id: str, verb: str) -> str:
    return f"/realtime/calls/{identifiers.checked(call_id, 'call_id')}/{verb}"
