"""While the database is away the carrier holds the caller and asks again; nobody hears an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError

from callops.calls import intake
from callops.calls.models import Call
from callops.core.config import config
from callops.core.models import Counter
from callops.webhooks import waiting
from tests.rows import OUR_NUMBER, make_destination, make_line
from tests.webhooks.carrier import Caller, Document, ask, document, query_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_by_heart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_by_heart", {})


@pytest.fixture
def caller() -> Caller:
    second = make_destination("oncall", uri="sip:oncall@example.com", label="On call")
    make_line(fallback=make_destination("frontdesk", uri="tel:+15550111", label="Front desk", next=second))
    return Caller()


@pytest.fixture
def away() -> Iterator[pytest.MonkeyPatch]:
    """The database answers nothing of a call, until this is undone."""

    def gone(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("the server closed the connection")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "inbound", gone)
        patch.setattr(intake, "record", gone)
        yield patch


def held(caller: Caller, times: int, url: str = "/twiml/inbound") -> Document:
    """What the carrier gets after it asked so often, as it was told to."""
    answer = document(url, **caller.about)
    for _ in range(times - 1):
        assert answer.verbs == ["Pause", "Redirect"]
        answer = document(answer.redirect, **caller.about)
    return answer


def test_a_new_caller_waits_and_is_served_when_it_is_back(caller: Caller, away: pytest.MonkeyPatch) -> None:
    answer = held(caller, 2)
    assert answer.verbs == ["Pause", "Redirect"]
    assert answer.redirect.startswith(f"{config().public_url}/twiml/inbound?")
    assert not Call.objects.exists()

    away.undo()
    assert document(answer.redirect, **caller.about).dials_the_ai
    assert Call.objects.get().carrier_sid == caller.sid


def test_a_trunks_lost_caller_is_still_one_after_waiting(caller: Caller, away: pytest.MonkeyPatch) -> None:
    answer = held(caller, 3, "/twiml/inbound?mode=recovery")

    away.undo()
    assert document(answer.redirect, **caller.about).number == "+15550111"


def test_a_line_that_rang_before_rings_its_fallback_by_heart(caller: Caller, away: pytest.MonkeyPatch) -> None:
    away.undo()
    Caller(2).rings()
    away.setattr(intake, "inbound", lambda **_: (_ for _ in ()).throw(OperationalError()))

    answer = held(caller, waiting.BEFORE_HEART + 1)

    assert [noun.text for noun in answer.dial] == ["+15550111", "sip:oncall@example.com"]
    assert answer.dial.attrib["sequential"] == "true"
    assert all(not noun.attrib for noun in answer.dial)
    assert document(answer.action, **caller.about, DialCallStatus="completed").verbs == ["Hangup"]
    assert "nobody can take your call" in document(answer.action, **caller.about, DialCallStatus="no-answer").said
    assert Counter.objects.get(name="callers.led_by_heart").count == 2


def test_a_caller_of_a_line_nobody_knows_by_heart_hears_an_apology_in_the_end(
    caller: Caller, away: pytest.MonkeyPatch
) -> None:
    answer = held(caller, waiting.AT_MOST + 1)

    assert answer.verbs[-1] == "Hangup"
    assert "nobody can take your call" in answer.said


def test_what_the_carrier_said_of_a_dial_is_not_lost_while_the_caller_waits(
    caller: Caller, away: pytest.MonkeyPatch
) -> None:
    away.undo()
    action = caller.rings().action
    away.setattr(intake, "record", lambda *_, **__: (_ for _ in ()).throw(OperationalError()))
    ended = {"DialCallStatus": "failed", "DialSipResponseCode": "503"}

    answer = document(action, **caller.about, **ended)
    again = document(answer.redirect, **caller.about)
    assert query_of(again.redirect) == {"waited": "2", "was.DialCallStatus": "failed", "was.DialSipResponseCode": "503"}

    away.undo()
    document(again.redirect, **caller.about)
    body = Call.objects.get().events.get(kind="carrier.dial_ended").body
    assert body["sip_code"] == 503


def test_a_callback_that_steers_nothing_is_told_to_come_again(caller: Caller, away: pytest.MonkeyPatch) -> None:
    away.undo()
    status_url = caller.rings().status_url
    away.setattr(intake, "record", lambda *_, **__: (_ for _ in ()).throw(OperationalError()))

    answer = ask(status_url, **{**caller.about, "CallStatus": "ringing"})

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_a_number_that_is_not_ours_is_nobodys_by_heart(caller: Caller) -> None:
    caller.rings()

    assert list(waiting._by_heart) == [OUR_NUMBER]
