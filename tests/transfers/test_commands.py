"""Asking for a transfer, and taking it back."""

from __future__ import annotations

from typing import Any

import pytest

from callops.calls.models import Call, Destination
from callops.calls.words import Policy, State, Topology
from callops.transfers import commands, evidence
from callops.transfers.commands import AnotherOpen, NotTransferable, TargetRefused, TooLate, cancel
from callops.transfers.models import Evidence, Mechanism, Outcome, TransferAttempt
from callops.transfers.models import State as TransferState
from callops.transfers.verdict import FactKind
from tests.rows import NOON, at, body_of, kinds, make_attempt, make_call, make_destination, make_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Destination:
    return make_destination(uri="tel:+15550111")


@pytest.fixture
def call(desk: Destination) -> Call:
    return make_call(make_line())


def ask(call: Call, **wish: Any) -> TransferAttempt:
    if "uri" in wish:
        return commands.request_transfer(call=call, asked_by="supervisor1", now=NOON, **wish)
    return make_attempt(call, **wish)


def test_a_wish_is_recorded_before_anything_is_done(call: Call, desk: Destination) -> None:
    attempt = ask(call, reason="wants a person", summary="Two sentences.")

    attempt.refresh_from_db()
    assert (attempt.state, attempt.mechanism, attempt.outcome) == ("pending", "unknown", "pending")
    assert (attempt.target_uri, attempt.target_label, attempt.due_at) == (desk.uri, desk.label, NOON)
    assert body_of(call, "operator.transfer_asked")["by"] == "supervisor1"
    assert [(fact.kind, fact.witness) for fact in attempt.evidence.all()] == [("asked", "operator")]
    call.refresh_from_db()
    assert (call.state, call.has_open_transfer) == (State.TRANSFERRING, True)


def test_the_assistants_wish_is_the_assistants_word(call: Call) -> None:
    attempt = ask(call, asked_by="assistant")

    assert attempt.evidence.get().witness == "openai"


def test_the_same_key_gives_the_same_transfer_whatever_became_of_it(call: Call) -> None:
    first = ask(call, key="k-1")
    again = ask(call, key="k-1", policy="nonsense that is not looked at again")
    cancel(attempt=first, asked_by="supervisor1", now=at(1))

    assert again.pk == first.pk
    assert ask(call, key="k-1").pk == first.pk
    assert kinds(call).count("operator.transfer_asked") == 1


def test_a_key_belongs_to_its_call(call: Call) -> None:
    other = make_call(call.line)

    assert ask(call, key="k-1").pk != ask(other, key="k-1").pk


def test_without_a_key_every_request_is_a_new_wish(call: Call) -> None:
    cancel(attempt=ask(call), asked_by="supervisor1", now=at(1))

    ask(call)

    assert TransferAttempt.objects.count() == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "k\x00", "k\u00e9", "k" * 201, "k\n"])
def test_a_key_must_be_readable(call: Call, key: str) -> None:
    with pytest.raises(TargetRefused, match="Idempotency-Key"):
        ask(call, key=key)


def test_one_transfer_is_open_at_a_time(call: Call) -> None:
    first = ask(call, key="k-1")

    with pytest.raises(AnotherOpen) as refusal:
        ask(call, key="k-2")
    assert refusal.value.attempt.pk == first.pk


def test_the_database_decides_when_two_ask_at_the_same_moment(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(call)
    real = TransferAttempt.objects.open
    looks = iter([TransferAttempt.objects.none()])
    monkeypatch.setattr(type(TransferAttempt.objects), "open", lambda self: next(looks, None) or real())
    Call.objects.filter(pk=call.pk).update(state=State.LIVE)

    with pytest.raises(AnotherOpen) as refusal:
        ask(call)
    assert refusal.value.attempt.pk == first.pk
    assert TransferAttempt.objects.count() == 1


@pytest.mark.parametrize("state", [State.RINGING, State.CONNECTING, State.TRANSFERRING, State.ENDED])
def test_only_a_call_with_somebody_on_it_can_be_transferred(call: Call, state: State) -> None:
    Call.objects.filter(pk=call.pk).update(state=state)

    with pytest.raises(NotTransferable, match=str(state.label)):
        ask(call)
    assert not TransferAttempt.objects.exists()


def test_an_address_must_be_one_of_the_directory(call: Call, desk: Destination) -> None:
    for uri in ("tel:+15550199", "", "tel:+15550111\x00", "TEL:+15550111"):
        with pytest.raises(TargetRefused):
            ask(call, uri=uri)

    assert ask(call, uri="tel:+15550111").destination == desk


POLICIES = [
    # topology, carrier leg known, call state, line's policy, asked, used
    (Topology.TWIML, True, State.LIVE, "refer_then_redirect", None, "refer_then_redirect"),
    (Topology.TWIML, True, State.LIVE, "redirect_only", None, "redirect_only"),
    (Topology.TWIML, True, State.LIVE, "redirect_only", "refer_only", "refer_only"),
    (Topology.TWIML, True, State.WITH_HUMAN, "refer_then_redirect", None, "redirect_only"),
    (Topology.TWIML, False, State.LIVE, "refer_then_redirect", None, "refer_only"),
    (Topology.TRUNK, True, State.LIVE, "refer_then_redirect", None, "refer_only"),
    (Topology.TRUNK, True, State.LIVE, "redirect_only", None, "refer_only"),
    (Topology.TRUNK, True, State.LIVE, "refer_then_redirect", "refer_then_redirect", "refer_only"),
    (Topology.TRUNK, True, State.LIVE, "refer_then_redirect", "redirect_only", None),
    (Topology.TWIML, False, State.LIVE, "refer_then_redirect", "redirect_only", None),
    (Topology.TWIML, True, State.LIVE, "refer_then_redirect", "shout", None),
]


@pytest.mark.parametrize(("topology", "known", "state", "of_line", "asked", "used"), POLICIES)
def test_the_policy_is_one_that_can_work(
    topology: str, known: bool, state: str, of_line: str, asked: str | None, used: str | None
) -> None:
    line = make_line(transfer_policy=of_line, topology=topology)
    sid = {} if known else {"carrier_sid": None}
    call = make_call(line, topology=topology, state=state, **sid)

    if used is None:
        with pytest.raises(TargetRefused):
            ask(call, policy=asked)
    else:
        assert ask(call, policy=asked).policy == used


def test_a_call_without_a_line_tries_both_ways(desk: Destination) -> None:
    assert ask(make_call()).policy == Policy.REFER_THEN_REDIRECT


def test_a_nul_in_the_reason_or_the_summary_is_replaced(call: Call) -> None:
    attempt = ask(call, reason="\x00" + "r" * 600, summary="s\x00")

    attempt.refresh_from_db()
    assert attempt.reason == "\ufffd" + "r" * 499
    assert attempt.summary == "s\ufffd"


def test_cancelling_settles_the_transfer_and_gives_the_call_back(call: Call) -> None:
    attempt = cancel(attempt=ask(call), asked_by="supervisor2", now=at(1))

    assert (attempt.state, attempt.mechanism, attempt.outcome) == ("settled", Mechanism.NONE, Outcome.CANCELLED)
    assert (attempt.settled_at, attempt.due_at, attempt.cancelled_at) == (at(1), None, at(1))
    assert "supervisor2" in attempt.because
    call.refresh_from_db()
    assert (call.state, call.has_open_transfer) == (State.LIVE, False)


def test_cancelling_twice_is_cancelling_once(call: Call) -> None:
    attempt = cancel(attempt=ask(call), asked_by="supervisor1", now=at(1))

    again = cancel(attempt=attempt, asked_by="supervisor2", now=at(2))

    assert again.settled_at == at(1)
    assert kinds(call).count("operator.cancelled") == 1


def test_a_cancel_that_lost_the_race_says_what_happened(call: Call) -> None:
    attempt = ask(call)
    event = call.events.latest("seq")
    detail = {"via": "redirect", "label": "Front desk"}
    evidence.add(attempt.pk, FactKind.HUMAN_CONNECTED, at=at(5), event=event, detail=detail)

    with pytest.raises(TooLate, match=r"connected.*Front desk connected 12:00:05"):
        cancel(attempt=attempt, asked_by="supervisor1", now=at(6))
    assert not Evidence.objects.filter(kind="cancelled").exists()


def test_a_human_who_answers_after_the_cancel_is_connected_all_the_same(call: Call) -> None:
    attempt = cancel(attempt=ask(call), asked_by="supervisor1", now=at(1))
    detail = {"via": "redirect", "label": "Front desk"}

    late = evidence.add(attempt.pk, FactKind.HUMAN_CONNECTED, at=at(2), event=call.events.latest("seq"), detail=detail)

    assert (late.state, late.outcome, late.settled_at) == (TransferState.SETTLED, Outcome.CONNECTED, at(1))
    assert late.time_to_human_ms == 2000
