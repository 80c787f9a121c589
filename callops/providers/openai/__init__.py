"""OpenAI Realtime over SIP: one HTTP client, the call verbs, the webhook and the sideband socket."""

import httpx

from callops.providers.exchange import LIMITS, TIMEOUT, TLS, USER_AGENT


def client(base_url: str, api_key: str, *, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """An HTTP client for one project that never retries and never waits without a limit (contract OpenAI 3.1).

    Without a key the request goes out unsigned and OpenAI answers 401. `OpenAI-Beta` is never sent.
    """
    headers = {"Accept": "*/*", "User-Agent": USER_AGENT}
    if key := api_key.strip():
        headers["Authorization"] = f"Bearer {key}"
    return httpx.AsyncClient(
        base_url=base_url, headers=headers, timeout=TIMEOUT, limits=LIMITS, transport=transport, verify=TLS
    )
