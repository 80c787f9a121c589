"""The account's Debugger webhook: alerts on the timeline of their call, two of them evidence of a REFER."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client

from callops.calls import belated
from callops.calls.models import Call, Event
from callops.calls.words import Policy, Topology
from callops.core import clock
from callops.core.models import Counter
from callops.dashboard.wording import sentence
from callops.transfers import evidence, steps
from callops.transfers.models import TransferAttempt
from callops.transfers.strategies import Act, next_step
from tests.rows import body_of, kinds, make_attempt, make_call, make_destination, make_leg, make_line
from tests.webhooks.carrier import ask

pytestmark = pytest.mark.django_db

DEBUGGER = "/twiml/debugger"
CONTRACTS = Path(__file__).parents[1] / "contracts" / "twilio"


def example(code: int, **changes: str) -> dict[str, str]:
    """The contract's request, about the same leg, unless changed."""
    params: dict[str, str] = json.loads((CONTRACTS / f"debugger-{code}.json").read_text())
    return {**params, **changes}


def about(params: dict[str, str]) -> str:
    return str(json.loads(params["Payload"])["resource_sid"])


def raised(code: int, **changes: str) -> HttpResponse:
    return ask(DEBUGGER, **example(code, **changes))


def referred(code: int, topology: str = Topology.TWIML, **wish: str) -> TransferAttempt:
    """A transfer whose REFER was just asked for, on the leg the contract's alert is about."""
    make_destination(label="Front desk")
    sid = about(example(code))
    call = make_call(make_line(topology=topology), carrier_sid=sid, topology=topology)
    attempt = make_attempt(call, now=clock.now(), **wish)
    steps.claim_refer(attempt.pk, now=clock.now())
    return attempt


def fresh(attempt: TransferAttempt) -> TransferAttempt:
    return TransferAttempt.objects.select_related("call__line").get(pk=attempt.pk)


def next_act(attempt: TransferAttempt) -> Act:
    return next_step(steps.situation_of(fresh(attempt), clock.now())).act


@pytest.mark.parametrize(
    ("code", "words"), [(13802, "ignored it"), (32218, "refused it"), (32011, "AI's SIP endpoint")]
)
def test_an_alert_about_a_known_call_is_on_its_timeline_in_plain_words(code: int, words: str) -> None:
    call = make_call(carrier_sid=about(example(code)))

    assert raised(code).status_code == 204

    body = body_of(call, "carrier.alert")
    assert (body["code"], body["resource_sid"]) == (code, call.carrier_sid)
    assert body["params"] == example(code)
    assert words in sentence("carrier.alert", body)


def test_an_alert_about_another_leg_of_a_call_is_on_its_timeline_too() -> None:
    call = make_call()
    make_leg(call, sid=about(example(32011)), role="human")

    raised(32011)

    assert kinds(call) == ["carrier.alert"]


def test_an_alert_that_comes_before_its_call_is_on_its_timeline_once_the_call_is_known() -> None:
    make_line()
    sid = about(example(32011))
    raised(32011)
    raised(32011, Sid="NO2", Payload=json.dumps({"resource_sid": "CA" + "9" * 32, "error_code": "32011"}))

    ask("/twiml/inbound", CallSid=sid, From="+15550120", To="+15550100", CallStatus="ringing")

    call = Call.objects.get(carrier_sid=sid)
    assert kinds(call) == ["carrier.inbound", "carrier.alert", "us.dialled_ai"]
    assert [event.seq for event in call.events.all()] == [1, 2, 3]
    assert Event.objects.filter(call=None, kind="carrier.alert").count() == 1


def test_an_alert_from_long_ago_is_not_taken_for_one_about_a_leg_that_is_new() -> None:
    raised(32011)
    call, hours_later = make_call(), clock.now() + timedelta(hours=2)

    assert belated.take_up(call.pk, about(example(32011)), now=hours_later) == 0


def test_an_alert_and_its_call_that_were_written_at_the_same_time_meet_at_the_next_look() -> None:
    raised(32011)
    call = make_call()
    make_leg(call, sid=about(example(32011)), role="human")

    belated.take_up_all(now=clock.now())

    assert kinds(call) == ["carrier.alert"]


def test_an_alert_about_nothing_we_know_is_kept_in_the_log() -> None:
    call = make_call()
    payload = json.dumps({"resource_sid": None, "error_code": "10004", "more_info": {"Msg": "Too many calls"}})

    assert raised(32011, Payload=payload).status_code == 204
    assert raised(32011, Sid="NO2").status_code == 204

    logged = Event.objects.filter(call=None, kind="carrier.alert").order_by("id")
    assert [event.body["code"] for event in logged] == [10004, 32011]
    assert sentence("carrier.alert", logged[0].body) == "Twilio raised alert 10004: Too many calls."
    assert kinds(call) == []


def test_32218_is_evidence_and_settles_a_trunks_transfer_as_failed() -> None:
    attempt = referred(32218, Topology.TRUNK)

    raised(32218)

    now = fresh(attempt)
    assert (now.state, now.mechanism, now.outcome) == ("settled", "none", "failed")
    assert now.evidence.get(kind="refer_refused").witness == "carrier"
    assert "because the trunk does not allow this transfer (alert 32218)" in now.because
    assert now.call.state == "live"


def test_32218_after_the_deadline_turns_unknown_into_failed() -> None:
    attempt = referred(32218, Topology.TRUNK)
    steps.pass_deadline(attempt.pk, now=clock.now())
    assert fresh(attempt).outcome == "unknown"

    raised(32218)

    assert (fresh(attempt).state, fresh(attempt).outcome) == ("settled", "failed")


def test_13802_lets_the_redirect_go_at_once() -> None:
    attempt = referred(13802)
    assert next_act(attempt) == Act.WAIT

    raised(13802)

    now = fresh(attempt)
    assert (now.state, now.mechanism, now.outcome) == ("running", "unknown", "pending")
    assert now.due_at is not None
    assert now.due_at <= clock.now()
    assert next_act(attempt) == Act.REDIRECT
    assert "ignored by the carrier" in now.because


def test_13802_settles_a_transfer_that_only_a_refer_may_make() -> None:
    attempt = referred(13802, policy=Policy.REFER_ONLY)

    raised(13802)

    assert (fresh(attempt).state, fresh(attempt).mechanism, fresh(attempt).outcome) == ("settled", "none", "failed")


def test_other_alerts_say_nothing_about_a_refer() -> None:
    attempt = referred(32011)

    raised(32011)

    assert "refer_refused" not in [fact.kind for fact in evidence.facts_of(attempt)]
    assert next_act(attempt) == Act.WAIT


def test_a_refusal_is_evidence_of_the_newest_transfer_that_asked_for_a_refer() -> None:
    first = referred(32218, Topology.TRUNK)
    raised(32218)
    second = make_attempt(first.call, now=clock.now())
    steps.claim_refer(second.pk, now=clock.now())

    raised(32218, Sid="NO2")

    assert fresh(first).evidence.filter(kind="refer_refused").count() == 1
    assert fresh(second).outcome == "failed"


@pytest.mark.parametrize("topology", [Topology.TWIML, Topology.TRUNK])
def test_a_repeated_alert_changes_nothing_twice(topology: str) -> None:
    attempt = referred(32218, topology)
    raised(32218)
    once = (kinds(attempt.call), fresh(attempt).because, fresh(attempt).settled_at)

    for delivery in ("again", None):
        assert ask(DEBUGGER, delivery=delivery, **example(32218)).status_code == 204

    assert (kinds(attempt.call), fresh(attempt).because, fresh(attempt).settled_at) == once
    assert attempt.evidence.filter(kind="refer_refused").count() == 1


def test_an_alert_that_came_before_its_call_is_not_written_twice() -> None:
    raised(32011)
    call = make_call(carrier_sid=about(example(32011)))

    raised(32011)

    assert Event.objects.filter(kind="carrier.alert").count() == 1
    assert kinds(call) == []


def test_a_refusal_that_comes_after_the_human_changes_neither_mechanism_nor_outcome() -> None:
    attempt = referred(13802)
    steps.claim_redirect(attempt.pk, tries=0, now=clock.now())
    ask(f"/twiml/transfers/{attempt.token}?via=redirect", CallSid=attempt.call.carrier_sid, CallStatus="in-progress")
    leg = f"/twiml/transfers/{attempt.token}/leg?via=redirect"
    ask(leg, CallSid="CAhuman", ParentCallSid=attempt.call.carrier_sid, CallStatus="in-progress")

    raised(13802)

    assert (fresh(attempt).mechanism, fresh(attempt).outcome) == ("redirect", "connected")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"Payload": "{"}, "Payload is not a JSON object"),
        ({"Payload": "[]"}, "Payload is not a JSON object"),
        ({"Payload": "[" * 100_000}, "Payload is not a JSON object"),
        ({"Payload": "{}"}, "Payload has no error_code"),
        ({"Payload": '{"error_code": "many"}'}, "Payload has no error_code"),
        ({"Sid": ""}, "no usable Sid"),
    ],
    ids=["broken", "a list", "too deep", "empty", "no number", "no Sid"],
)
def test_an_alert_that_cannot_be_read_is_400_with_a_sentence_and_counted(changes: dict[str, str], why: str) -> None:
    answer = raised(32011, **changes)

    assert answer.status_code == 400
    assert why in answer.content.decode()
    assert Counter.objects.get(name="refused.twilio_form").count == 1
    assert not Event.objects.exists()


def test_an_unsigned_alert_is_403_and_counted() -> None:
    answer = Client().post(DEBUGGER, example(32218), headers={"X-Twilio-Signature": "made up"})

    assert answer.status_code == 403
    assert Counter.objects.get(name="refused.twilio_signature").count == 1
    assert not Event.objects.exists()
    assert not Call.objects.exists()
