"""An AI call announces itself and is decided: by whoever brings it first, in one go and in few statements."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from callops.calls import correlation
from callops.calls.kinds import Kind
from callops.calls.models import Call, Correlation, Line
from callops.calls.words import Runtime, State
from callops.core import notify
from callops.sideband import acceptance, journal
from callops.sideband.acceptance import Arrival
from callops.sideband.arrivals import Announcement
from callops.sideband.models import AiSession
from callops.sideband.signs import Signs
from tests.rows import CALLER, NOON, at, kinds, make_destination, make_line, make_ringing_call, make_session

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "key"


@pytest.fixture
def line() -> Line:
    return make_line(fallback=make_destination())


@pytest.fixture
def ringing(line: Line) -> Call:
    """A call whose AI was dialled a moment ago."""
    return make_ringing_call(line)


def news(call: Call | None, ai_call_id: str = "rtc_new", **fields: Any) -> Announcement:
    """The webhook about this AI call, with our own header when it names a call."""
    signed = correlation.sign(call.pk, key=KEY, at=NOON) if call else ""
    headers = ((correlation.REF_HEADER, call.pk), (correlation.SIG_HEADER, signed)) if call else ()
    known: dict[str, Any] = {"type": "realtime.call.incoming", "runtime": Runtime.REALTIME, "created_at": NOON}
    told = {"ai_call_id": ai_call_id, "webhook_id": f"wh_{ai_call_id}", "caller": CALLER, "dialled": None}
    return Announcement(headers=headers, **{**known, **told, **fields})


def arrive(said: Announcement, owner: str = "door-1", now: datetime = NOON) -> Arrival:
    return acceptance.arrive(said, key=KEY, owner=owner, at=now, clock=lambda: now)


def test_who_brings_it_first_decides_in_one_transaction_of_few_statements(
    ringing: Call, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(13):  # BEGIN and COMMIT are two of them; it was 47 when each step was its own
        arrival = arrive(news(ringing))

    call, session = Call.objects.get(), AiSession.objects.get()
    assert arrival.decision is not None
    assert (arrival.decision.session_id, arrival.decision.ai_call_id) == (session.pk, "rtc_new")
    assert arrival.decision.payload["instructions"] == "You are Nora."
    assert kinds(call) == ["openai.webhook", "us.correlated", "us.accept_asked"]
    assert (call.ai_call_id, call.ai_session, call.last_seq) == ("rtc_new", "accepting", 3)
    assert (session.decision_owner, session.decision_until) == ("door-1", at(acceptance.CLAIM_S))
    assert Correlation.objects.get().method == "signed_header"


def test_the_answer_and_the_open_sideband_take_few_statements(ringing: Call, django_assert_num_queries: Any) -> None:
    session_id = arrive(news(ringing)).session_id

    with django_assert_num_queries(8):
        acceptance.accepted(session_id, at=at(1), kind=Kind.OPENAI_ACCEPT_ANSWERED, body={"status": 200})
    AiSession.objects.update(lease_owner="engine-1")
    for again in (False, True):
        with django_assert_num_queries(9):
            first = journal.opened(session_id, owner="engine-1", at=at(2), duration_ms=5, signs=Signs())
        assert first is not again

    call = Call.objects.get()
    assert (call.state, call.ai_session, call.answered_at, call.last_seq) == (State.LIVE, "open", at(2), 6)


def test_all_that_an_arrival_writes_is_one_notification(ringing: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[list[str]] = []
    monkeypatch.setattr(notify._Notification, "__call__", lambda self: sent.append(list(self.call_ids)))

    arrive(news(ringing))

    assert sent == [[ringing.pk]]


def test_a_decider_who_dies_right_after_the_arrival_loses_the_claim_to_an_engine(ringing: Call) -> None:
    session_id = arrive(news(ringing)).session_id
    later = at(acceptance.CLAIM_S + 0.1)

    assert acceptance.undecided(at(acceptance.CLAIM_S)) == []
    assert acceptance.claim(session_id, owner="engine-1", now=at(acceptance.CLAIM_S)) is None
    assert acceptance.undecided(later) == [session_id]
    decision = acceptance.claim(session_id, owner="engine-1", now=later)
    assert decision is not None
    assert decision.payload["model"]
    assert acceptance.claim(session_id, owner="engine-2", now=later) is None
    assert kinds(ringing)[-2:] == ["us.accept_asked", "us.accept_asked"]


def test_a_redelivery_finds_what_the_first_one_made_and_claims_nothing(ringing: Call) -> None:
    first = arrive(news(ringing))

    again = arrive(replace(news(ringing), webhook_id="wh_again"), owner="door-2")

    assert again == Arrival(first.session_id, ringing.pk, None)
    assert kinds(ringing).count("openai.webhook") == 1


def test_a_claim_lasts_from_the_moment_in_which_it_was_our_turn(ringing: Call) -> None:
    acceptance.arrive(news(ringing), key=KEY, owner="door-1", at=NOON, clock=lambda: at(4))

    assert AiSession.objects.get().decision_until == at(4 + acceptance.CLAIM_S)


def test_what_grew_too_old_while_it_waited_for_its_turn_is_known_and_not_claimed(ringing: Call) -> None:
    arrival = acceptance.arrive(news(ringing), key=KEY, owner="door-1", at=NOON, clock=lambda: at(61))

    assert arrival.decision is None
    assert kinds(ringing) == ["openai.webhook", "us.correlated"]
    assert AiSession.objects.get().decision_until is None


def test_a_call_that_no_line_answers_is_known_and_not_claimed() -> None:
    for number in ("+15550101", "+15550102"):
        make_line(number=number)

    arrival = arrive(news(None))

    assert arrival.decision is None
    assert kinds(Call.objects.get()) == ["openai.webhook", "us.correlated"]


def test_an_ended_call_of_the_ai_alone_is_accepted_when_it_comes_again_by_its_sid() -> None:
    trunk = make_line(topology="trunk")
    sid = {"dialled": trunk.number, "headers": (("X-Twilio-CallSid", "CAtrunk"),)}
    first = arrive(replace(news(None, "rtc_1"), **sid))
    Call.objects.update(state=State.ENDED, ai_session="closed", ended_at=at(1))
    AiSession.objects.update(closed_at=at(1))

    second = arrive(replace(news(None, "rtc_2"), **sid))

    assert second.call_id == first.call_id
    assert second.decision is not None
    assert Call.objects.get().state == State.CONNECTING


def test_a_call_with_an_assistant_on_the_line_is_not_given_another(ringing: Call) -> None:
    make_session(ringing, ai_call_id="rtc_old", opened_at=at(1), webhook_at=at(1))

    arrival = arrive(news(ringing), now=at(2))

    assert arrival.call_id != ringing.pk
    assert Call.objects.get(pk=arrival.call_id).correlation_method == "none"


def test_an_assistant_of_an_earlier_dial_does_not_keep_the_next_one_out(ringing: Call) -> None:
    make_session(ringing, ai_call_id="rtc_old", opened_at=at(-9), webhook_at=NOON - timedelta(seconds=10))

    arrival = arrive(news(ringing), now=at(2))

    assert arrival.call_id == ringing.pk
    assert AiSession.objects.get(ai_call_id="rtc_new").position_base == 100_000


def test_two_ai_calls_that_claim_one_call_in_the_same_moment_have_turns_of_their_own(ringing: Call) -> None:
    together = threading.Barrier(2)

    def bring(name: str) -> None:
        together.wait(10)
        arrive(news(ringing, name))
        connection.close()

    threads = [threading.Thread(target=bring, args=(name,)) for name in ("rtc_1", "rtc_2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(AiSession.objects.values_list("position_base", flat=True)) == [0, 100_000]
    assert sorted(kinds(ringing)) == sorted(["openai.webhook", "us.correlated", "us.accept_asked"] * 2)
    assert Call.objects.get().last_seq == 6


def test_deliveries_in_the_same_moment_are_one_session_and_one_decision(ringing: Call) -> None:
    together, arrivals = threading.Barrier(4), []

    def bring(number: int) -> None:
        together.wait(10)
        arrivals.append(arrive(replace(news(ringing), webhook_id=f"wh_{number}"), owner=f"door-{number}"))
        connection.close()

    threads = [threading.Thread(target=bring, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(arrivals) == 4
    assert len({arrival.session_id for arrival in arrivals}) == 1
    assert sum(arrival.decision is not None for arrival in arrivals) == 1
    assert kinds(ringing) == ["openai.webhook", "us.correlated", "us.accept_asked"]


def test_an_arrival_that_cannot_be_finished_leaves_nothing_behind(
    ringing: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("callops.calls.intake.settle", fail)

    with pytest.raises(RuntimeError):
        arrive(news(ringing))

    assert not transaction.get_connection().in_atomic_block
    assert (AiSession.objects.count(), Correlation.objects.count(), kinds(ringing)) == (0, 0, [])
