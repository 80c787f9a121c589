"""Facts come in: written once, their consequences drawn, never backwards."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.db import transaction

from callops.calls import intake, judging
from callops.calls.intake import Fact, LegNews
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event, Leg
from callops.calls.words import EndedBy, FailureStage, Lane, LegStatus, Role, Session, State, Topology
from tests.rows import CALLER, NOON, OUR_NUMBER, at, kinds, make_call, make_line, make_ringing_call

pytestmark = pytest.mark.django_db

HUMAN = "CAhuman"


def ring(sid: str = "CA1", to: str = OUR_NUMBER, delivery: str = "inbound:1", **params: str) -> tuple[Call, bool]:
    known = {"call_sid": sid, "from_number": CALLER, "to_number": to, "at": NOON, "source_id": delivery}
    return intake.inbound(params=params, **known)


def hear(call: Call, news: LegNews, *, seconds: float = 1, identity: str | None = None, **changes: Any) -> Event | None:
    return intake.record(
        call.pk,
        at=at(seconds),
        kind=Kind.CARRIER_LEG,
        lane=Lane.CARRIER,
        body={"role": news.role, "status": news.status, "sip_code": news.sip_code},
        source="twilio",
        source_id=identity,
        legs=[news],
        changes=changes,
    )


def leg(role: Role, status: LegStatus, sid: str | None = None, **more: Any) -> LegNews:
    return LegNews(sid=sid or f"CA{role}", role=role, status=status, **more)


def callers(call: Call, status: LegStatus) -> LegNews:
    return leg(Role.CALLER, status, call.carrier_sid)


def test_the_first_request_makes_the_call_known_on_its_line() -> None:
    line = make_line()

    call, is_new = ring(CallStatus="ringing")

    assert is_new
    assert (call.line, call.from_number, call.to_number) == (line, CALLER, OUR_NUMBER)
    assert Leg.objects.get(sid="CA1").role == Role.CALLER
    assert kinds(call) == ["carrier.inbound"]


def test_a_repeated_first_request_finds_the_same_call_and_writes_nothing() -> None:
    first, _ = ring()
    again, is_new = ring()

    assert not is_new
    assert again.pk == first.pk
    assert kinds(first) == ["carrier.inbound"]


def test_a_number_that_is_no_line_makes_a_call_without_one() -> None:
    call, _ = ring(to="+15550177")

    assert call.line is None
    assert call.to_number == "+15550177"


def test_a_call_that_reaches_the_voice_address_can_be_steered_whatever_its_line_says() -> None:
    make_line(topology=Topology.TRUNK)

    call, _ = ring()

    assert call.topology == Topology.TWIML


def test_a_strange_status_counts_as_ringing() -> None:
    ring(CallStatus="queued-somewhere")

    assert Leg.objects.get().status == LegStatus.RINGING


def test_a_dialled_address_longer_than_its_column_or_with_nul_is_kept_as_far_as_it_goes() -> None:
    call, _ = ring(to="sip:\x00" + "x" * 100)

    assert call.to_number == "sip:\ufffd" + "x" * 59


def test_a_repetition_of_the_provider_changes_nothing() -> None:
    call = make_call()

    assert hear(call, leg(Role.HUMAN, LegStatus.IN_PROGRESS), identity="leg:1") is not None
    assert hear(call, callers(call, LegStatus.COMPLETED), identity="leg:1", failure_stage="our_fault") is None

    call.refresh_from_db()
    assert (call.state, call.failure_stage) == (State.WITH_HUMAN, "")


def test_every_order_of_a_legs_statuses_ends_in_the_same_leg() -> None:
    words = (LegStatus.INITIATED, LegStatus.RINGING, LegStatus.IN_PROGRESS, LegStatus.COMPLETED)
    for order in itertools.permutations(words):
        call = make_ringing_call()
        for status in order:
            hear(call, leg(Role.AI, status, f"CA-ai-{call.pk}"))

        known = Leg.objects.get(sid=f"CA-ai-{call.pk}")
        assert (known.status, known.ended_at is not None) == (LegStatus.COMPLETED, True), order


def test_the_ai_leg_is_remembered_when_it_is_first_seen() -> None:
    call = make_ringing_call()

    hear(call, leg(Role.AI, LegStatus.INITIATED, "CAai", parent_sid=call.carrier_sid))

    call.refresh_from_db()
    assert call.ai_leg_sid == "CAai"


def test_the_sip_code_of_an_end_is_kept() -> None:
    call = make_ringing_call()
    hear(call, leg(Role.AI, LegStatus.RINGING, "CAai"))
    hear(call, leg(Role.AI, LegStatus.FAILED, "CAai", sip_code=503))

    assert Leg.objects.get(sid="CAai").sip_code == 503


def test_a_call_ends_once_and_says_who_ended_it() -> None:
    call = make_call(webhook_due_at=NOON, carrier_check_at=NOON)

    hear(call, callers(call, LegStatus.COMPLETED), seconds=9, caller_left_at=at(9))
    hear(call, leg(Role.HUMAN, LegStatus.IN_PROGRESS), seconds=12)

    call.refresh_from_db()
    assert (call.state, call.ended_at, call.ended_by) == (State.ENDED, at(9), EndedBy.CALLER)
    assert (call.webhook_due_at, call.carrier_check_at, call.failure_stage) == (None, None, "")


def test_a_caller_who_leaves_before_any_voice_is_a_failure_of_its_own() -> None:
    call = make_ringing_call()
    intake.record(call.pk, at=NOON, kind=Kind.US_DIALLED_AI, lane=Lane.US)

    event = hear(call, callers(call, LegStatus.COMPLETED), caller_left_at=at(1))

    call.refresh_from_db()
    assert (call.failure_stage, call.failure_seq) == (FailureStage.CALLER_LEFT, event.seq)


def test_a_caller_who_leaves_after_the_refusal_keeps_the_first_stage() -> None:
    call = make_ringing_call()
    intake.record(call.pk, at=NOON, kind=Kind.US_DIALLED_AI, lane=Lane.US)
    hear(call, leg(Role.AI, LegStatus.FAILED, "CAai", sip_code=400))

    hear(call, callers(call, LegStatus.COMPLETED), caller_left_at=at(1))

    call.refresh_from_db()
    assert call.failure_stage == FailureStage.SIP_REJECTED


def test_bug_a_caller_who_heard_the_ai_did_not_leave_before_any_voice_when_the_answer_is_told_last() -> None:
    call = make_ringing_call()

    hear(call, leg(Role.AI, LegStatus.COMPLETED, "CAai"))
    hear(call, callers(call, LegStatus.COMPLETED), caller_left_at=at(1))
    hear(call, leg(Role.AI, LegStatus.IN_PROGRESS, "CAai"))

    call.refresh_from_db()
    assert (call.state, call.failure_stage) == (State.ENDED, "")


def test_the_answer_is_the_first_of_the_ai_leg_and_the_session() -> None:
    call = make_ringing_call()

    hear(call, leg(Role.AI, LegStatus.IN_PROGRESS, "CAai"), seconds=2)
    intake.record(
        call.pk,
        at=at(5),
        kind=Kind.OPENAI_SIDEBAND_OPEN,
        lane=Lane.OPENAI,
        changes={"ai_session": Session.OPEN, "ai_call_id": "rtc_new"},
    )

    call.refresh_from_db()
    assert (call.answered_at, call.state) == (at(2), State.LIVE)


def test_a_fact_without_identity_moves_legs_too() -> None:
    call = make_call()

    intake.note(
        call.pk,
        at=NOON,
        kind=Kind.CARRIER_LOOKED_UP,
        lane=Lane.CARRIER,
        body={},
        legs=[callers(call, LegStatus.COMPLETED)],
    )

    call.refresh_from_db()
    assert call.state == State.ENDED


def test_of_facts_told_together_a_repetition_is_left_out_with_what_it_settles_and_leaves_no_gap() -> None:
    call = make_ringing_call()
    fact = {"at": at(1), "lane": Lane.OPENAI, "source": "openai"}
    first = Fact(kind=Kind.OPENAI_WEBHOOK, source_id="wh_1", **fact)
    repeated = Fact(kind=Kind.OPENAI_WEBHOOK, source_id="wh_1", changes={"ai_call_id": "rtc_other"}, **fact)
    after = Fact(at=at(2), kind=Kind.US_CORRELATED, lane=Lane.US, changes={"incomplete": True})
    with transaction.atomic():
        intake.settle(judging.lock(call.pk), [first], now=at(1))

    with transaction.atomic():
        events = intake.settle(judging.lock(call.pk), [repeated, after], now=at(2))

    call.refresh_from_db()
    assert [event and event.seq for event in events] == [None, 2]
    assert list(Event.objects.filter(call=call).values_list("seq", "kind")) == [
        (1, "openai.webhook"),
        (2, "us.correlated"),
    ]
    assert (call.last_seq, call.ai_call_id, call.incomplete) == (2, None, True)


def test_what_was_raised_before_its_leg_was_known_is_numbered_after_the_fact_that_made_it_known() -> None:
    call = make_ringing_call()
    alert = {"at": at(0), "kind": Kind.CARRIER_ALERT, "lane": Lane.CARRIER, "source": "twilio"}
    Event.objects.create(body={"resource_sid": HUMAN}, source_id="alert:1", **alert)

    event = hear(call, leg(Role.HUMAN, LegStatus.RINGING), seconds=1)

    call.refresh_from_db()
    assert event is not None
    assert kinds(call)[-2:] == ["carrier.leg", "carrier.alert"]
    assert (event.seq, call.last_seq) == (1, 2)


def test_a_fact_upon_which_the_state_is_judged_again_takes_few_statements(django_assert_num_queries: Any) -> None:
    call = make_call()

    with django_assert_num_queries(5):  # the call, the fact, the legs, the facts of the way to the AI, the call
        intake.record(call.pk, at=at(1), kind=Kind.OPENAI_ACCEPT_ANSWERED, lane=Lane.OPENAI, body={"status": 200})
