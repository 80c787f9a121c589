"""Twilio Voice: one HTTP client, the call verbs, signatures, documents and callbacks."""

import httpx

from callops.providers.exchange import LIMITS, TIMEOUT, TLS, USER_AGENT

API_VERSION = "2010-04-01"


def client(
    base_url: str,
    account_sid: str,
    auth_token: str,
    api_key_sid: str = "",
    api_key_secret: str = "",
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """An HTTP client for one account that never retries and never waits without a limit (contract Twilio 3).

    `base_url` may carry a path, as compatible carriers need (contract Twilio 9); a trailing API version is dropped.
    The API key is used when both of its halves are given, else the account and its token.
    """
    pair = (api_key_sid, api_key_secret) if api_key_sid and api_key_secret else (account_sid, auth_token)
    return httpx.AsyncClient(
        base_url=base_url.rstrip("/").removesuffix(f"/{API_VERSION}"),
        auth=httpx.BasicAuth(*pair),
        headers={"Accept": "application/json", "User-Agent": USER_AGENT},
        timeout=TIMEOUT,
        limits=LIMITS,
        transport=transport,
        verify=TLS,
    )
