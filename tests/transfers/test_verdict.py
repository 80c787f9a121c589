"""What the evidence proves about one transfer."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callops.transfers.models import Mechanism, Outcome
from callops.transfers.verdict import Fact, FactKind, in_doubt, judge
from tests.rows import at
from tests.transfers import facts as f
from tests.transfers.facts import connected, declined, dial_ended, fact, leg_ended, ringing, screening, took

TABLE = [
    # facts, refer_only, mechanism, outcome, settled
    ([], False, "unknown", "pending", False),
    ([f.ASKED], False, "unknown", "pending", False),
    ([f.ASKED, f.REFER_200], False, "unknown", "pending", False),
    ([f.ASKED, f.REFER_200, f.DEADLINE], False, "unknown", "pending", False),
    ([f.ASKED, f.REFER_404], False, "unknown", "pending", False),
    ([f.ASKED, f.REFER_200, f.DEADLINE, f.REDIRECT_200], False, "unknown", "pending", False),
    ([f.ASKED, f.REFER_200, f.REFER_SEEN], False, "refer", "pending", False),
    ([f.ASKED, f.REFER_200, f.REFER_SEEN, ringing("refer")], False, "refer", "pending", False),
    ([f.ASKED, f.REFER_200, f.REFER_SEEN, connected("refer")], False, "refer", "connected", True),
    ([f.ASKED, f.REFER_LOST, f.REFER_SEEN, connected("refer")], False, "refer", "connected", True),
    ([f.ASKED, f.REFER_200, f.DEADLINE, f.REDIRECT_200, f.FETCHED], False, "redirect", "pending", False),
    ([f.DEADLINE, f.REDIRECT_200, f.FETCHED, connected("redirect")], False, "redirect", "connected", True),
    ([f.DEADLINE, f.REDIRECT_LOST, f.FETCHED, connected("redirect")], False, "redirect", "connected", True),
    ([f.REDIRECT_500, f.TAKEN_BY_ACTION, connected("dial_action")], False, "dial_action", "connected", True),
    ([f.TAKEN_BY_ACTION], False, "dial_action", "pending", False),
    # A late REFER changes neither what moved the caller nor whether a human came.
    ([f.FETCHED, connected("redirect", 8), f.LATE_REFER], False, "redirect", "connected", True),
    # Both documents were fetched: the bridged leg's own address tells which one counts.
    ([f.REFER_SEEN, f.FETCHED, connected("refer")], False, "refer", "connected", True),
    ([f.REFER_SEEN, f.FETCHED, connected("redirect")], False, "redirect", "connected", True),
    # Without that address the last move before the bridge counts.
    ([f.REFER_SEEN, f.FETCHED, fact(FactKind.HUMAN_CONNECTED, 9)], False, "redirect", "connected", True),
    ([f.FETCHED, fact(FactKind.HUMAN_CONNECTED, 6), f.LATE_REFER], False, "redirect", "connected", True),
    ([fact(FactKind.HUMAN_CONNECTED, 6)], False, "unknown", "connected", True),
    # A bridge is stronger than everything.
    ([f.CANCELLED, f.FETCHED, connected("redirect")], False, "redirect", "connected", True),
    ([f.CALLER_LEFT, f.FETCHED, connected("redirect")], False, "redirect", "connected", True),
    ([dial_ended("completed", bridged=True)], False, "redirect", "connected", True),
    # A screened leg that was answered connects nobody; the key does, or the bridge at the end.
    ([f.FETCHED, screening()], False, "redirect", "pending", False),
    ([f.REFER_SEEN, screening("refer"), took("refer")], False, "refer", "connected", True),
    ([f.FETCHED, screening(), took()], False, "redirect", "connected", True),
    ([f.FETCHED, screening(), dial_ended("completed", bridged=True, sid="CA1")], False, "redirect", "connected", True),
    ([f.FETCHED, screening(), dial_ended("completed", sid="CA1")], False, "redirect", "no_answer", True),
    ([f.FETCHED, screening(), declined(), dial_ended("completed", sid="CA1")], False, "redirect", "no_answer", True),
    ([f.FETCHED, screening(), declined()], False, "redirect", "pending", False),
    # The end of the very same dial says that nobody was bridged, whatever key was pressed; another dial's does not.
    ([f.FETCHED, took(), dial_ended("completed", sid="CA1")], False, "redirect", "no_answer", True),
    ([f.FETCHED, took(sid="CA2"), dial_ended("completed", sid="CA1")], False, "redirect", "connected", True),
    ([f.FETCHED, took(), dial_ended("completed", sid="CA1", bridged=None)], False, "redirect", "connected", True),
    ([f.FETCHED, leg_ended("busy", 486)], False, "redirect", "pending", False),
    # Nobody came.
    ([f.FETCHED, dial_ended("busy")], False, "redirect", "busy", True),
    ([f.FETCHED, dial_ended("no-answer")], False, "redirect", "no_answer", True),
    ([f.FETCHED, dial_ended("failed", sip_code=503)], False, "redirect", "failed", True),
    ([f.FETCHED, dial_ended("canceled")], False, "redirect", "failed", True),
    ([f.REFER_SEEN, dial_ended("no-answer", via="refer")], False, "refer", "no_answer", True),
    ([f.FETCHED, dial_ended("completed", bridged=False)], False, "redirect", "no_answer", True),
    ([f.FETCHED, dial_ended("completed", bridged=None)], False, "redirect", "no_answer", True),
    ([f.FETCHED, dial_ended("completed", bridged="true")], False, "redirect", "no_answer", True),
    # The next destination is being rung.
    ([f.FETCHED, dial_ended("busy", more=True)], False, "redirect", "pending", False),
    (
        [f.FETCHED, dial_ended("busy", more=True), dial_ended("no-answer", seconds=50)],
        False,
        "redirect",
        "no_answer",
        1,
    ),
    ([f.FETCHED, dial_ended("busy", more=True), connected("redirect", 44)], False, "redirect", "connected", True),
    # Ends that somebody chose.
    ([f.ASKED, f.CANCELLED], False, "none", "cancelled", True),
    ([f.REFER_200, f.CANCELLED], False, "none", "cancelled", True),
    ([f.FETCHED, f.CANCELLED], False, "redirect", "cancelled", True),
    ([f.ASKED, f.CALLER_LEFT], False, "none", "caller_left", True),
    ([f.REDIRECT_GONE, f.CALLER_LEFT], False, "none", "caller_left", True),
    ([f.FETCHED, f.CALLER_LEFT], False, "redirect", "caller_left", True),
    ([f.CANCELLED, f.CALLER_LEFT], False, "none", "caller_left", True),
    # No step is left.
    ([f.DEADLINE, f.REDIRECT_500, f.GAVE_UP], False, "none", "failed", True),
    ([f.DEADLINE, f.REDIRECT_200, f.GAVE_UP], False, "unknown", "unknown", True),
    ([f.FETCHED, f.GAVE_UP], False, "redirect", "unknown", True),
    # Only a REFER may move this caller.
    ([f.ASKED, f.REFER_200], True, "unknown", "pending", False),
    ([f.ASKED, f.REFER_200, f.DEADLINE], True, "unknown", "unknown", True),
    ([f.ASKED, f.REFER_LOST, f.DEADLINE], True, "unknown", "unknown", True),
    ([f.ASKED, f.REFER_404], True, "none", "failed", True),
    ([f.REFER_200, f.REFUSED_BY_CARRIER], True, "none", "failed", True),
    ([f.REFER_200, f.DEADLINE, fact(FactKind.REFER_REFUSED, 9, code=32218)], True, "none", "failed", True),
    ([f.REFER_200, f.REFUSED_BY_CARRIER, f.LATE_REFER], True, "refer", "unknown", True),
    # Where a redirect may follow, a refusal settles nothing.
    ([f.REFER_200, f.REFUSED_BY_CARRIER], False, "unknown", "pending", False),
    ([f.REFUSED_BY_CARRIER, f.REDIRECT_200, f.FETCHED, connected("redirect")], False, "redirect", "connected", True),
    ([f.REFER_200, f.REFER_SEEN], True, "refer", "pending", False),
    ([f.REFER_200, f.CHILD_SEEN], True, "refer", "pending", False),
    ([f.REFER_200, f.CHILD_SEEN, connected("refer")], True, "refer", "connected", True),
    ([f.REFER_200, f.DEADLINE, f.LATE_REFER, connected("refer", 12)], True, "refer", "connected", True),
    ([f.REFER_200, f.DEADLINE, f.LATE_REFER, dial_ended("busy", via="refer")], True, "refer", "busy", True),
    # The REFER was seen although OpenAI's own answer was an error.
    ([f.REFER_SEEN, fact(FactKind.REFER_ANSWERED, 3, status=500)], True, "refer", "pending", False),
]


@pytest.mark.parametrize(("facts", "refer_only", "mechanism", "outcome", "settled"), TABLE)
def test_the_evidence_gives_the_verdict(
    facts: list[Fact], refer_only: bool, mechanism: str, outcome: str, settled: bool
) -> None:
    verdict = judge(facts, refer_only=refer_only)

    assert (verdict.mechanism, verdict.outcome, verdict.settled) == (mechanism, outcome, bool(settled))


def test_bug_a_refer_that_comes_after_its_deadline_leaves_a_settled_transfer_settled() -> None:
    verdict = judge([f.REFER_200, f.DEADLINE, f.LATE_REFER], refer_only=True)

    assert (verdict.mechanism, verdict.outcome, verdict.settled) == (Mechanism.REFER, Outcome.UNKNOWN, True)


@pytest.mark.parametrize(
    ("facts", "doubt"),
    [
        ([], False),
        ([f.REDIRECT_200], False),
        ([f.REDIRECT_LOST], True),
        ([fact(FactKind.REDIRECT_UNANSWERED, 5, reason="connect")], False),
        ([f.REDIRECT_LOST, f.looked_up(10, None)], True),
        ([f.REDIRECT_LOST, f.looked_up(10, "completed")], True),
        ([f.REDIRECT_LOST, f.looked_up(10, "in-progress")], False),
        ([f.REDIRECT_LOST, f.looked_up(9, "in-progress")], True),
        ([f.REDIRECT_LOST, f.looked_up(10, "in-progress"), fact(FactKind.REDIRECT_UNANSWERED, 17)], True),
        ([f.REDIRECT_LOST, fact(FactKind.DOCUMENT_FETCHED, 11, via="redirect")], False),
        ([f.REDIRECT_LOST, ringing("redirect", 11)], False),
        ([f.REDIRECT_LOST, fact(FactKind.CALLER_LEFT, 11)], False),
        ([f.REDIRECT_LOST, f.GAVE_UP], False),
    ],
)
def test_a_lost_answer_leaves_a_doubt_until_somebody_tells(facts: list[Fact], doubt: bool) -> None:
    assert in_doubt(facts) is doubt


def test_the_bridge_is_dated_by_its_first_witness() -> None:
    verdict = judge([dial_ended("completed", bridged=True, seconds=80), connected("redirect", 9)], refer_only=False)

    assert verdict.connected_at == at(9)


@pytest.mark.parametrize("text", [None, 5, "", "soon", "2026-03-01", {}, [1]])
def test_what_is_no_time_is_no_time(text: object) -> None:
    assert fact(FactKind.REFER_ANSWERED, asked_at=text).moment("asked_at") is None


def test_a_time_is_read_from_the_detail() -> None:
    assert fact(FactKind.REFER_ANSWERED, asked_at=at(1).isoformat()).moment("asked_at") == at(1)


@given(f.facts, st.booleans(), st.data())
def test_order_and_repetition_change_nothing(facts: list[Fact], refer_only: bool, data: st.DataObject) -> None:
    repeated = facts + data.draw(st.lists(st.sampled_from(facts or [f.ASKED]), max_size=4)) if facts else []

    verdict = judge(facts, refer_only=refer_only)

    assert judge(data.draw(st.permutations(repeated)), refer_only=refer_only) == verdict


@example([Fact(FactKind.REDIRECT_ANSWERED, at(1), {"status": [None]}), Fact(FactKind.GAVE_UP, at(2))], False)
@given(f.facts, st.booleans())
def test_bug_no_facts_however_strange_stop_the_judge(facts: list[Fact], refer_only: bool) -> None:
    verdict = judge(facts, refer_only=refer_only)

    assert verdict.mechanism in Mechanism
    assert verdict.outcome in Outcome
    assert (verdict.outcome == Outcome.PENDING) == (not verdict.settled)
    assert (verdict.outcome == Outcome.CONNECTED) == (verdict.connected_at is not None)


@given(f.facts, st.booleans(), f.any_fact(first=21, last=30))
def test_bug_what_is_settled_stays_settled_whatever_is_learnt_later(
    facts: list[Fact], refer_only: bool, late: Fact
) -> None:
    if judge(facts, refer_only=refer_only).settled:
        assert judge([*facts, late], refer_only=refer_only).settled


@given(f.facts, st.booleans())
def test_bug_refer_needs_the_carriers_word_for_the_refer(facts: list[Fact], refer_only: bool) -> None:
    if judge(facts, refer_only=refer_only).mechanism == Mechanism.REFER:
        assert any(one.kind in (FactKind.REFER_SEEN, FactKind.CHILD_SEEN) or _human(one, "refer") for one in facts)


@given(f.facts, st.booleans())
def test_redirect_needs_a_document_fetched_by_redirect(facts: list[Fact], refer_only: bool) -> None:
    if judge(facts, refer_only=refer_only).mechanism == Mechanism.REDIRECT:
        fetched = [one for one in facts if one.kind == FactKind.DOCUMENT_FETCHED and one.via == Mechanism.REDIRECT]
        assert fetched or any(_human(one, "redirect") for one in facts)


@given(st.lists(f.any_fact(kinds=f.CLAIMS), max_size=5), st.booleans())
def test_answers_alone_never_prove_a_move_or_a_human(facts: list[Fact], refer_only: bool) -> None:
    verdict = judge(facts, refer_only=refer_only)

    assert verdict.mechanism in (Mechanism.UNKNOWN, Mechanism.NONE)
    assert verdict.outcome in (Outcome.PENDING, Outcome.FAILED)


def test_bug_a_redirect_answer_whose_status_is_no_number_does_not_stop_the_judge() -> None:
    gave_up = Fact(FactKind.GAVE_UP, at(1), {})
    garbled = Fact(FactKind.REDIRECT_ANSWERED, at(0), {"status": [None]})

    assert judge([garbled, gave_up], refer_only=False).settled


@given(f.facts, st.booleans())
def test_a_question_on_an_answered_leg_decides_nothing(facts: list[Fact], refer_only: bool) -> None:
    asking = (FactKind.SCREENING, FactKind.DECLINED_BY_KEY, FactKind.HUMAN_LEG_ENDED)
    without = [one for one in facts if one.kind not in asking]

    assert judge(facts, refer_only=refer_only) == judge(without, refer_only=refer_only)


@given(st.lists(f.any_fact(), max_size=6), st.booleans())
def test_a_mailbox_is_never_a_connection(facts: list[Fact], refer_only: bool) -> None:
    answered = [screening(), *(one for one in facts if one.kind not in (FactKind.HUMAN_CONNECTED, *_BRIDGES))]

    assert judge(answered, refer_only=refer_only).outcome != Outcome.CONNECTED


@given(f.facts, st.booleans())
def test_while_nothing_is_proven_the_mechanism_is_unknown_not_none(facts: list[Fact], refer_only: bool) -> None:
    verdict = judge(facts, refer_only=refer_only)

    if verdict.mechanism == Mechanism.NONE:
        assert verdict.settled
        assert verdict.outcome not in (Outcome.CONNECTED, Outcome.UNKNOWN)


_BRIDGES = (FactKind.ACCEPTED_BY_KEY, FactKind.HUMAN_DIAL_ENDED)


def _human(one: Fact, via: str) -> bool:
    there = (FactKind.HUMAN_CONNECTED, FactKind.ACCEPTED_BY_KEY, FactKind.HUMAN_DIAL_ENDED)
    return one.kind in there and one.detail.get("via") == via
