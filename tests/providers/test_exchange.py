"""Receipts and errors of one HTTP exchange."""

import httpx
import pytest

from callops.providers import openai
from callops.providers.exchange import get, post
from callops.providers.receipt import NoAnswer, ProviderError, Receipt, Refused

KEY = "sk-proj-" + "a" * 40


def client(answer) -> httpx.AsyncClient:
    return openai.client("https://openai.test/v1", KEY, transport=httpx.MockTransport(answer))


async def ask(answer, expected: tuple[str, ...] = ("x-request-id",)) -> Receipt:
    async with client(answer) as http:
        return await post(http, "/x", expected=expected, timeout_s=5)


async def test_a_receipt_keeps_the_headers_that_matter_and_names_those_that_were_missing() -> None:
    headers = {"X-Request-Id": "req_1", "Set-Cookie": "secret=1", "X-RateLimit-Limit-Requests": "5"}

    receipt = await ask(
        lambda _: httpx.Response(200, headers=headers), expected=("x-request-id", "openai-processing-ms")
    )

    assert receipt.request_id == "req_1"
    assert receipt.headers["x-ratelimit-limit-requests"] == "5"
    assert "set-cookie" not in receipt.headers
    assert receipt.absent == ("openai-processing-ms",)
    assert receipt.processing_ms is None


async def test_any_2xx_is_accepted() -> None:
    receipt = await ask(lambda _: httpx.Response(204))

    assert receipt.is_ok
    assert receipt.status == 204


async def test_a_long_body_is_cut() -> None:
    receipt = await ask(lambda _: httpx.Response(200, text="é" * 9000))

    assert receipt.body == "é" * 2000


@pytest.mark.parametrize("echo", [f"Bearer {KEY}", KEY, "Basic QUMwMTIzNDU2Nzg5OnRva2Vu"])
async def test_a_credential_echoed_by_the_other_side_is_not_kept(echo: str) -> None:
    with pytest.raises(Refused) as caught:
        await ask(lambda _: httpx.Response(401, json={"error": {"message": f"bad key {echo}", "code": "x"}}))

    kept = f"{caught.value} {caught.value.message} {caught.value.receipt}"
    assert echo not in kept
    assert "[redacted]" in caught.value.receipt.body


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ('{"error":{"code":"call_id_not_found","message":"gone","param":""}}', "call_id_not_found", "gone"),
        ('{"error":{"code":null,"message":"sorry"}}', None, "sorry"),
        ('{"code":21220,"message":"not in-progress","status":400}', 21220, "not in-progress"),
        ('{"code":"21220","message":"as text"}', 21220, "as text"),
        ("<html>Bad gateway</html>", None, "HTTP status 502"),
        ("", None, "HTTP status 502"),
        ("[1]", None, "HTTP status 502"),
        ('{"error":"text"}', None, "HTTP status 502"),
        ("[" * 100_000, None, "HTTP status 502"),
    ],
)
async def test_the_code_and_message_of_a_refusal_are_the_providers_own(body, code, message) -> None:
    with pytest.raises(Refused) as caught:
        await ask(lambda _: httpx.Response(502, text=body))

    assert (caught.value.status, caught.value.code, caught.value.message) == (502, code, message)


async def test_a_redirection_is_a_refusal_and_is_not_followed() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(302, headers={"location": "https://elsewhere.test/"})

    with pytest.raises(Refused):
        await ask(answer)

    assert len(asked) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectError("no route"), "connect"),
        (httpx.ConnectTimeout("slow"), "connect"),
        (httpx.PoolTimeout("busy"), "connect"),
        (httpx.ReadTimeout("slow"), "timeout"),
        (httpx.WriteTimeout("slow"), "timeout"),
        (httpx.ReadError("reset"), "dropped"),
        (httpx.RemoteProtocolError("closed"), "dropped"),
        (httpx.DecodingError("bad gzip"), "dropped"),
        (TimeoutError(), "timeout"),
    ],
)
async def test_only_a_failed_connection_is_known_not_to_have_been_sent(error, reason) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(NoAnswer) as caught:
        await ask(answer)

    assert caught.value.reason == reason
    assert caught.value.receipt is None
    assert caught.value.duration_ms >= 0


async def test_nothing_is_retried() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(503)

    with pytest.raises(Refused):
        await ask(answer)

    assert len(asked) == 1


@pytest.mark.parametrize("body", ["", "<html>", "[]", "null"])
async def test_a_good_status_with_an_unreadable_body_is_an_error_with_its_receipt(body: str) -> None:
    async with client(lambda _: httpx.Response(200, text=body)) as http:
        with pytest.raises(ProviderError) as caught:
            await get(http, "/x", expected=(), timeout_s=5)

    assert caught.value.receipt is not None
    assert caught.value.receipt.status == 200


def test_a_processing_time_that_is_no_number_is_unknown() -> None:
    assert Receipt(200, {"openai-processing-ms": "12.5"}).processing_ms is None
    assert Receipt(200, {"openai-processing-ms": "212"}).processing_ms == 212


@pytest.mark.parametrize(
    ("header", "seconds"),
    [({}, None), ({"retry-after": "2"}, 2), ({"retry-after": "Wed, 25 Nov 2026 23:00:00 GMT"}, None)],
)
def test_how_long_to_leave_a_provider_alone_is_a_number_of_seconds_or_unknown(
    header: dict[str, str], seconds: int | None
) -> None:
    assert Receipt(429, header).retry_after_s == seconds
