"""Refusals of the REST API, in Twilio's words (contract Twilio 3.5)."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web


class RestRefused(Exception):
    """A request that is answered with an error body."""

    def __init__(self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def response(self) -> web.Response:
        """The HTTP answer."""
        body = {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return web.json_response(body, status=self.status, headers=self.headers)


def authentication_failed() -> RestRefused:
    """Bad credentials, or an account that is not theirs."""
    return RestRefused(401, 20003, "Authenticate")


def not_found(path: str) -> RestRefused:
    """No such resource in this account."""
    return RestRefused(404, 20404, f"The requested resource {path} was not found")


def not_in_progress() -> RestRefused:
    """The call is over, still rings, or is a trunk's."""
    return RestRefused(400, 21220, "Call is not in-progress. Cannot redirect.")


def invalid_url(url: str) -> RestRefused:
    """A URL that cannot be requested."""
    return RestRefused(400, 21205, f"Url is not a valid url: {url}")


def bad_parameter(message: str) -> RestRefused:
    """Anything else that is wrong with the form (20001: the contract names no code)."""
    return RestRefused(400, 20001, message)


def too_many_requests(retry_after_s: int | None) -> RestRefused:
    """The account's concurrency is used up; the header that says for how long is not guaranteed (contract 3.6)."""
    headers = None if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return RestRefused(429, 20429, "Too Many Requests", headers)
