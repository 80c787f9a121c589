"""The verdict's reasons, as sentences somebody can read out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.transfers.because import clock, explain, nobody_came
from callops.transfers.verdict import Fact, FactKind
from tests.rows import NOON, at
from tests.transfers import facts as f
from tests.transfers.facts import connected, declined, dial_ended, fact, leg_ended, ringing, screening, took

TABLE = [
    ([], "Asked; nothing has answered yet."),
    ([f.ASKED], "Asked; nothing has answered yet."),
    ([f.REFER_200], "REFER asked 12:00:00, answered 200 without a request id."),
    (
        [fact(FactKind.REFER_ANSWERED, 1, status=200, request_id="req_1", asked_at=at(0).isoformat())],
        "REFER asked 12:00:00, answered 200.",
    ),
    ([f.REFER_404], "REFER asked 12:00:00, answered 404."),
    ([f.REFER_LOST], "REFER not answered (timeout)."),
    ([f.DEADLINE], "REFER never seen by the carrier in 4.0 s."),
    (
        [f.REFER_200, f.REFER_SEEN],
        "REFER asked 12:00:00, answered 200 without a request id, seen by the carrier 12:00:01.",
    ),
    ([f.DEADLINE, f.LATE_REFER], "REFER seen by the carrier 12:00:09 after the deadline."),
    (
        [f.REFUSED_BY_CARRIER],
        "REFER refused by the carrier 12:00:02 because the trunk does not allow this transfer (alert 32218).",
    ),
    (
        [f.REFER_200, fact(FactKind.REFER_REFUSED, 2, code=13802)],
        (
            "REFER asked 12:00:00, answered 200 without a request id, "
            "ignored by the carrier 12:00:02 because the dial had no referUrl (alert 13802)."
        ),
    ),
    ([fact(FactKind.REFER_REFUSED, 2, code=99999)], "REFER refused by the carrier 12:00:02 (alert 99999)."),
    ([f.REFUSED_BY_CARRIER, f.LATE_REFER], "REFER seen by the carrier 12:00:09."),
    ([f.CHILD_SEEN], "REFER seen by the carrier 12:00:02."),
    ([f.REDIRECT_200], "Redirect asked and answered 200; the document is not fetched yet."),
    ([f.REDIRECT_LOST], "The redirect's answer was lost. Twilio is being asked whether it took effect."),
    (
        [f.REDIRECT_LOST, f.looked_up(11, "completed"), f.looked_up(12, None)],
        "The redirect's answer was lost. Twilio is being asked whether it took effect.",
    ),
    ([f.REDIRECT_LOST, f.looked_up(11, "in-progress")], "The redirect was asked; its answer was lost."),
    (
        [f.REDIRECT_LOST, fact(FactKind.GAVE_UP, 70, why="Twilio could not tell in 60 s whether it took effect.")],
        "The redirect was asked; its answer was lost. Twilio could not tell in 60 s whether it took effect.",
    ),
    (
        [f.REDIRECT_GONE, f.CALLER_LEFT],
        "Twilio refused the redirect 12:00:04 (400/21220). The caller hung up 12:00:07, before a human was connected.",
    ),
    ([f.REDIRECT_500], "Twilio refused the redirect 12:00:04 (503)."),
    (
        [f.REDIRECT_500, f.TAKEN_BY_ACTION],
        (
            "Twilio refused the redirect once (503). "
            "Twilio fetched the transfer document 12:00:05.0 when the AI's leg ended."
        ),
    ),
    (
        [*(fact(FactKind.REDIRECT_ANSWERED, n, status=429, error_code=20429) for n in (1, 2)), f.FETCHED],
        "Twilio refused the redirect twice (429/20429). Twilio fetched the transfer document 12:00:05.0.",
    ),
    (
        [*(fact(FactKind.REDIRECT_UNANSWERED, n, reason="timeout") for n in (1, 2, 3)), f.TAKEN_BY_ACTION],
        (
            "The redirect's answer was lost 3 times. "
            "Twilio fetched the transfer document 12:00:05.0 when the AI's leg ended."
        ),
    ),
    ([dial_ended("canceled")], "Front desk: called off 12:00:30."),
    ([f.FETCHED, ringing("redirect")], "Twilio fetched the transfer document 12:00:05.0."),
    (
        [f.FETCHED, connected("redirect")],
        "Twilio fetched the transfer document 12:00:05.0. Front desk connected 12:00:09, the caller waited 9 s.",
    ),
    ([dial_ended("completed", bridged=True)], "Front desk connected 12:00:30, the caller waited 30 s."),
    ([dial_ended("busy")], "Front desk: busy 12:00:30."),
    (
        [dial_ended("no-answer", more=True), dial_ended("busy", seconds=50, label="On call")],
        "Front desk: no answer 12:00:30. On call: busy 12:00:50.",
    ),
    ([dial_ended("failed", sip_code=503)], "Front desk: failed with SIP 503 12:00:30."),
    ([dial_ended("failed")], "Front desk: failed 12:00:30."),
    ([dial_ended("completed", bridged=False)], "Front desk: answered but nobody took the call 12:00:30."),
    ([screening()], "Front desk answered 12:00:08 and is asked to press 1."),
    ([screening(), took()], "Front desk pressed 1 and was connected 12:00:12, the caller waited 12 s."),
    (
        [screening(), dial_ended("completed", sid="CA1", more=True), screening(seconds=40, label="On call", sid="CA2")],
        "Front desk: answered but nobody took the call 12:00:30. On call answered 12:00:40 and is asked to press 1.",
    ),
    (
        [screening(), declined(), dial_ended("completed", sid="CA1")],
        "Front desk: declined by key 12:00:30.",
    ),
    ([dial_ended("busy", sip_code=486)], "Front desk: busy (SIP 486) 12:00:30."),
    ([dial_ended("no-answer", sip_code=480)], "Front desk: no answer (SIP 480) 12:00:30."),
    ([dial_ended("no-answer", sip_code=487)], "Front desk: no answer 12:00:30."),
    ([leg_ended("failed", 404), dial_ended("failed", sid="CA1")], "Front desk: failed with SIP 404 12:00:30."),
    ([leg_ended("failed", 404, sid="CA2"), dial_ended("failed", sid="CA1")], "Front desk: failed 12:00:30."),
    ([f.CANCELLED], "Cancelled by supervisor1 12:00:03."),
    ([f.GAVE_UP], "The carrier never said how the human's dial ended."),
    ([f.CANCELLED, connected("redirect")], "Front desk connected 12:00:09, the caller waited 9 s."),
]


@pytest.mark.parametrize(("facts", "sentences"), TABLE, ids=[sentences[:50] for _, sentences in TABLE])
def test_the_evidence_reads_as_sentences(facts: list[Fact], sentences: str) -> None:
    assert explain(facts, label="Front desk", asked_at=NOON) == sentences


def test_the_whole_story_of_a_refer_that_never_left() -> None:
    facts = [f.ASKED, f.REFER_200, f.DEADLINE, f.REDIRECT_200, f.FETCHED, ringing("redirect"), connected("redirect")]

    assert explain(facts, label="Front desk", asked_at=NOON) == (
        "REFER asked 12:00:00, answered 200 without a request id, never seen by the carrier in 4.0 s. "
        "Twilio fetched the transfer document 12:00:05.0. Front desk connected 12:00:09, the caller waited 9 s."
    )


def test_what_an_assistant_is_told_names_everybody_who_was_rung() -> None:
    facts = [dial_ended("busy", sip_code=486, more=True), dial_ended("completed", seconds=60, label="On call")]

    assert nobody_came(facts, label="Front desk") == (
        "Front desk: busy (SIP 486). On call: answered but nobody took the call."
    )
    assert nobody_came([], label="Front desk") == "Front desk did not take the call."


def test_tenths_are_given_where_they_tell_something() -> None:
    assert (clock(at(0.96)), clock(at(0.96), tenths=True)) == ("12:00:00", "12:00:00.9")


@given(f.facts, st.data())
def test_bug_any_facts_in_any_order_give_the_same_sentences(facts: list[Fact], data: st.DataObject) -> None:
    said = explain(facts, label="Front desk", asked_at=NOON)

    assert said
    assert explain(data.draw(st.permutations(facts)), label="Front desk", asked_at=NOON) == said


def test_what_the_breaker_decided_is_said_first() -> None:
    switched = "REFER has been silent for 7 of 7: the redirect went first."

    assert explain([], label="Front desk", asked_at=NOON, switched=switched).startswith(f"{switched} Asked;")
    assert explain([f.FETCHED], label="Front desk", asked_at=NOON, switched=switched) == (
        f"{switched} Twilio fetched the transfer document 12:00:05.0."
    )
