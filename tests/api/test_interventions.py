"""Acts in a conversation, asked for over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.test import Client

from callops.calls.models import Call


def ask(api: Client, call: Call, body: Any, **headers: str) -> Any:
    path = f"/api/calls/{call.pk}/interventions"
    return api.post(path, body, content_type="application/json", headers=headers)


def test_a_whisper_is_asked_once_per_key(api: Client, make_call: Callable[..., Call]) -> None:
    call, wish = make_call(state="live", ai_session="open"), {"act": "whisper", "text": "Offer a refund."}

    first, again = (ask(api, call, wish, **{"Idempotency-Key": "k1"}) for _ in range(2))

    assert (first.status_code, again.json()) == (202, first.json())
    assert (first.json()["step"], first.json()["requested_by"]) == ("asked", "supervisor1")


def test_what_cannot_be_done_is_refused_with_words(
    api: Client, viewer_api: Client, make_call: Callable[..., Call]
) -> None:
    call = make_call(state="live", ai_session="reconnecting")

    closed = ask(api, call, {"act": "pause"})

    assert (closed.status_code, "not open" in closed.json()["detail"]) == (409, True)
    assert ask(api, call, {"act": "say"}).status_code == 422
    assert ask(api, call, {"act": "sing"}).status_code == 422
    assert "cannot be kept (NUL" in ask(api, call, {"act": "say", "text": "a\0b"}).json()["detail"]
    assert ask(viewer_api, call, {"act": "pause"}).status_code == 403
