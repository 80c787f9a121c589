"""Answers in the provider's shapes: errors, and the headers that tell an ordinary answer (contract OpenAI 3.1, 3.4)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping

from aiohttp import web

from callops.simulator.openai import ids

SERVER_ERROR = "The server had an error while processing your request. Sorry about that!"
NAMELESS = "x-simulator-nameless"


class ApiError(Exception):
    """An answer of 400 or more in the provider's shape (contract OpenAI 3.4)."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None,
        kind: str = "invalid_request_error",
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.error = {"message": message, "type": kind, "param": param, "code": code}


def gone() -> ApiError:
    """The call is not there (any more); `param` is an empty string, as captured."""
    return ApiError(404, "No session found for the provided call_id", code="call_id_not_found", param="")


def broken() -> ApiError:
    """A 500."""
    return ApiError(500, SERVER_ERROR, code=None, kind="server_error")


def too_many() -> ApiError:
    """A 429 of the project's request limit, which says when to come back (contract OpenAI 3.4)."""
    words = "Rate limit reached for requests. Please try again in 1s."
    return ApiError(429, words, code="rate_limit_exceeded", kind="requests", headers={"retry-after": "1"})


def sign(response: web.StreamResponse, project_id: str, began_at: float) -> None:
    """Give an answer the headers of any ordinary one; a nameless answer goes without."""
    if response.headers.pop(NAMELESS, None):
        return
    response.headers["x-request-id"] = ids.request()
    response.headers["openai-processing-ms"] = str(round((time.monotonic() - began_at) * 1000))
    response.headers["openai-version"] = "2020-10-01"
    response.headers["openai-organization"] = "northline-example"
    response.headers["openai-project"] = project_id
    _from_the_edge(response)


def nameless() -> web.Response:
    """An empty 200 that only the edge has signed: no x-request-id, no openai-* (contract OpenAI 5.1)."""
    response = web.Response(headers={NAMELESS: "1"})
    _from_the_edge(response)
    return response


def _from_the_edge(response: web.StreamResponse) -> None:
    response.headers["server"] = "cloudflare"
    response.headers["cf-ray"] = f"{secrets.token_hex(8)}-ORD"
    response.headers["cf-cache-status"] = "DYNAMIC"
