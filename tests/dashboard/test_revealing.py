"""What was redacted is read by few, for a reason, and the audit keeps who and why."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from callops.audit.models import Entry
from callops.people import groups
from callops.people.roles import Role
from callops.sideband.models import FrameBatch, Turn
from callops.sideband.originals import original
from callops.sideband.packing import packed
from tests.rows import NOON, make_call, make_line, make_session

pytestmark = pytest.mark.django_db
CARD = "4111 1111 1111 1111"
WHISPERED = "conversation.item.input_audio_transcription"


@pytest.fixture
def turn() -> Turn:
    call = make_call(make_line())
    session = make_session(call)
    told = [
        {"type": f"{WHISPERED}.delta", "item_id": "item_1", "delta": "4111"},
        {"type": f"{WHISPERED}.completed", "item_id": "item_1", "transcript": CARD},
        {"type": f"{WHISPERED}.completed", "item_id": "item_2", "transcript": "Thanks"},
        {"type": f"{WHISPERED}.delta", "item_id": "item_3", "delta": " cut "},
        {"type": "input_audio_buffer.dtmf_event_received", "event": "4"},
        {"type": "input_audio_buffer.dtmf_event_received", "event": "1"},
    ]
    frames = [(at, json.dumps(frame).encode()) for at, frame in enumerate(told)] + [(9, b'"not an event"')]
    FrameBatch.objects.create(session=session, first=0, count=len(frames), received_at=NOON, packed=packed(frames))
    detail = {"redacted": {"card": 1}}
    shown = {"speaker": "caller", "text": "[card number]", "final": True, "started_at": NOON, "detail": detail}
    return Turn.objects.create(call=call, item_id="item_1", position=0, **shown)


def client_of(role: Role) -> Client:
    user = User.objects.create_user(role.value)
    groups.give(user, role)
    client = Client()
    client.force_login(user)
    return client


def test_an_administrator_reads_it_with_a_reason_and_the_audit_says_so(turn: Turn) -> None:
    client, address = client_of(Role.ADMINISTRATOR), f"/calls/{turn.call_id}/reveal/{turn.pk}"

    assert CARD not in client.get(address).content.decode()
    shown = client.post(address, {"why": "chargeback 17"})

    assert CARD in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]
    entry = Entry.objects.get(verb="reveal")
    assert (entry.who, entry.call, entry.detail["why"]) == ("administrator", turn.call_id, "chargeback 17")
    assert not Turn.objects.filter(text__contains="4111").exists()


def test_without_a_reason_nothing_is_shown(turn: Turn) -> None:
    answer = client_of(Role.ADMINISTRATOR).post(f"/calls/{turn.call_id}/reveal/{turn.pk}", {"why": " x "})

    assert answer.status_code == 422
    assert CARD not in answer.content.decode()


def test_a_supervisor_does_not_read_it(turn: Turn) -> None:
    client = client_of(Role.SUPERVISOR)

    assert client.post(f"/calls/{turn.call_id}/reveal/{turn.pk}", {"why": "curiosity"}).status_code == 403
    assert 'class="may-reveal"' not in client.get(f"/calls/{turn.call_id}/").content.decode()


def test_what_is_not_kept_or_cannot_be_opened_is_said(turn: Turn, configure) -> None:
    client, address = client_of(Role.ADMINISTRATOR), f"/calls/{turn.call_id}/reveal/{turn.pk}"
    configure(privacy_keys=(b"x" * 32,))
    assert b"PRIVACY_KEY" in client.post(address, {"why": "chargeback 17"}).content
    FrameBatch.objects.all().delete()

    assert b"not kept any more" in client.post(address, {"why": "chargeback 17"}).content


def test_each_kind_of_line_is_found_in_the_frames(turn: Turn) -> None:
    found = [original(turn.call_id, item) for item in ("item_1", "item_3", "dtmf-2", "dtmf-9", "item_9")]

    assert found == [CARD, "cut", "1", None, None]
