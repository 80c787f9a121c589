"""Acts in a conversation from the call page: which box Enter means, what stays typed, and who may."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from callops.calls.models import Call
from callops.supervision.commands import cursor_of
from callops.supervision.models import Intervention
from tests.dashboard.conftest import MakeCall, make_line

HTMX = {"HX-Request": "true"}


def act(desk: Client, call: Call, **fields: str) -> Any:
    known = {"act": "typed", "key": "k1", "seen": cursor_of(call)}
    return desk.post(f"/calls/{call.pk}/intervene", {**known, **fields}, headers=HTMX)


def test_enter_in_a_box_means_that_box(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line())

    answer = act(desk, call, say="One moment, please.")

    assert answer.status_code == 200
    assert list(Intervention.objects.values_list("act", "text", "by")) == [("say", "One moment, please.", "supervisor")]
    assert 'value="One moment, please."' not in answer.content.decode()


def test_words_in_both_boxes_need_a_button_and_stay_typed(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line())

    answer = act(desk, call, say="Aloud", whisper="Quietly")

    assert answer.status_code == 422
    text = answer.content.decode()
    assert all(words in text for words in ("Press the button", 'value="Aloud"', 'value="Quietly"'))
    assert not Intervention.objects.exists()


def test_who_may_only_watch_cannot_intervene(client: Client, watcher: User, make_call: MakeCall) -> None:
    call = make_call(line=make_line())
    client.force_login(watcher)

    assert act(client, call, act="pause").status_code == 403
    assert "In the conversation" not in client.get(f"/calls/{call.pk}/").content.decode()
