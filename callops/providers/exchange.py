"""One request and its answer: measured, judged by status, and kept as a receipt without any credential."""

import asyncio
import re
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import httpx
import msgspec

from callops.providers.receipt import NoAnswer, ProviderError, Reason, Receipt, Refused

USER_AGENT = "callops"
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
TLS = httpx.create_ssl_context()
"""Made once: reading the trusted certificates takes longer than an accept may wait."""
LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=30.0)
BODY_CHARACTERS = 2000
KEPT_HEADERS = frozenset(
    {
        *("x-request-id", "openai-processing-ms", "openai-version", "openai-organization", "openai-project"),
        *("twilio-request-id", "twilio-request-duration", "twilio-concurrent-requests"),
        *("retry-after", "x-should-retry", "date", "server", "cf-ray", "content-type", "content-length"),
    }
)
_CREDENTIAL = re.compile(r"\b(Bearer|Basic) +[A-Za-z0-9+/=._~-]{8,}|\b(sk-)[A-Za-z0-9_-]{16,}")
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


async def post(
    http: httpx.AsyncClient,
    path: str,
    *,
    json: Mapping[str, Any] | None = None,
    data: Mapping[str, str] | None = None,
    expected: tuple[str, ...],
    timeout_s: float,
) -> Receipt:
    """The receipt of a POST that was answered 2xx; `expected` header names that are missing are noted as absent.

    Raises `Refused` for any other status and `NoAnswer` when none arrived within `timeout_s`. Never retries.
    """
    request = http.build_request("POST", path, json=json, data=data, timeout=_limits(timeout_s))
    receipt, _ = await _answered(http, request, expected=expected, timeout_s=timeout_s)
    return receipt


async def get(
    http: httpx.AsyncClient,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    expected: tuple[str, ...],
    timeout_s: float,
) -> tuple[Receipt, dict[str, Any]]:
    """The receipt of a GET together with the JSON object it answered.

    Raises as `post` does, and `ProviderError` when a 2xx answer is not a JSON object.
    """
    request = http.build_request("GET", path, params=params, timeout=_limits(timeout_s))
    receipt, content = await _answered(http, request, expected=expected, timeout_s=timeout_s)
    answer = _object(content)
    if answer is None:
        raise ProviderError("the answer is not a JSON object", receipt=receipt)
    return receipt, answer


def receipt_of(
    status: int, headers: Mapping[str, str], content: bytes, *, expected: tuple[str, ...], started: float
) -> Receipt:
    """An answer as evidence: the headers that matter, those missing, the time since `started` (perf_counter)."""
    lower = {name.lower(): value for name, value in headers.items()}
    wanted = KEPT_HEADERS.union(expected)
    return Receipt(
        status=status,
        headers={n: v for n, v in lower.items() if n in wanted or n.startswith("x-ratelimit-")},
        absent=tuple(name for name in expected if name not in lower),
        duration_ms=elapsed_ms(started),
        body=redacted(content[: BODY_CHARACTERS * 4].decode("utf-8", "replace"))[:BODY_CHARACTERS],
    )


def why(content: bytes, status: int) -> tuple[str | int | None, str]:
    """The provider's own code and message (contract OpenAI 3.4, Twilio 3.5); HTML and empty bodies give no code."""
    answer = _object(content) or {}
    error = answer.get("error")
    told = error if isinstance(error, dict) else answer
    code, message = told.get("code"), told.get("message")
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 9:
        code = int(code)
    known = isinstance(code, (str, int)) and not isinstance(code, bool) and code != ""
    return (code if known else None), redacted(message if isinstance(message, str) else f"HTTP status {status}")


def redacted(text: str) -> str:
    """The text without anything that looks like a credential."""
    return _CREDENTIAL.sub(lambda found: f"{found[1] or found[2]}[redacted]", text)


def elapsed_ms(started: float) -> int:
    """Whole milliseconds since `started`, a reading of perf_counter."""
    return round((perf_counter() - started) * 1000)


def _limits(timeout_s: float) -> httpx.Timeout:
    return httpx.Timeout(timeout_s, connect=min(timeout_s, 5.0))


async def _answered(
    http: httpx.AsyncClient, request: httpx.Request, *, expected: tuple[str, ...], timeout_s: float
) -> tuple[Receipt, bytes]:
    started = perf_counter()
    try:
        async with asyncio.timeout(timeout_s):
            response = await http.send(request, follow_redirects=False)
    except (httpx.RequestError, TimeoutError) as error:
        raise NoAnswer(reason=_reason(error), duration_ms=elapsed_ms(started), detail=type(error).__name__) from error
    receipt = receipt_of(response.status_code, response.headers, response.content, expected=expected, started=started)
    if not receipt.is_ok:
        code, message = why(response.content, receipt.status)
        raise Refused(receipt, code=code, message=message)
    return receipt, response.content


def _reason(error: Exception) -> Reason:
    if isinstance(error, (*_NEVER_SENT, httpx.LocalProtocolError)):
        return "connect"
    return "timeout" if isinstance(error, (httpx.TimeoutException, TimeoutError)) else "dropped"


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
