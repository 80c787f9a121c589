"""The running stage as `simulate` talks to it: start one named scenario, then follow it to its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from callops.core.config import Config

DEFAULT_STAGE = "http://127.0.0.1:8001"
ASK_EVERY_S = 0.3
LOST_AFTER_S = 600.0


class StageMissing(Exception):
    """Nobody answers where the stage should be."""


class StageRefused(Exception):
    """The stage would not play it; the message says why, with the scenarios it knows."""


def stage_url(config: Config) -> str:
    """Where the stage should be: the settings' Twilio when that is simulated, else the port `make run` uses."""
    host = urlsplit(config.twilio_base_url).hostname
    return config.twilio_base_url if host in {"127.0.0.1", "localhost", "::1"} else DEFAULT_STAGE


def play(http: httpx.Client, scenario: str, **more: Any) -> str:
    """Start one call, with knobs and lines of its own; gives the stage's id of it."""
    answer = _ask(http, "POST", json={"scenario": scenario, **more})
    if answer.is_error:
        raise StageRefused(_why(answer))
    return str(answer.json()["id"])


def follow(http: httpx.Client, call: str) -> Iterator[str]:
    """Each state of the call once, as it comes, until the call is over."""
    seen = ""
    deadline = time.monotonic() + LOST_AFTER_S
    while time.monotonic() < deadline:
        found = _call(http, call)
        if found["state"] != seen:
            seen = str(found["state"])
            yield seen
        if found["over"]:
            return
        time.sleep(ASK_EVERY_S)
    raise StageRefused(f"The call {call} is still not over after {LOST_AFTER_S:.0f} s.")


def _call(http: httpx.Client, call: str) -> dict[str, Any]:
    answer = _ask(http, "GET")
    if answer.is_error:
        raise StageRefused(_why(answer))
    for found in answer.json()["calls"]:
        if found["id"] == call:
            return dict(found)
    raise StageRefused(f"The stage no longer knows the call {call}.")


def _ask(http: httpx.Client, method: str, **body: Any) -> httpx.Response:
    try:
        return http.request(method, "/_stage/calls", **body)
    except httpx.TransportError as wrong:
        raise StageMissing(str(http.base_url)) from wrong


def _why(answer: httpx.Response) -> str:
    try:
        said = answer.json()
    except ValueError:
        return f"The stage answered {answer.status_code}."
    why = str(said.get("detail", f"The stage answered {answer.status_code}."))
    names = ", ".join(sorted(said.get("scenarios", [])))
    return f"{why} It knows: {names}." if names else why
