"""What the caller heard while being moved."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.transfers.hearing import heard
from callops.transfers.verdict import Fact, FactKind
from tests.rows import NOON, at
from tests.transfers import facts as f
from tests.transfers.facts import connected, dial_ended, fact, looked_up, ringing

COMPANY = "the assistant kept the caller company"
WISH = fact(FactKind.ASKED, 0, by="supervisor1", **{"with": "assistant"})
FROM_HUMAN = fact(FactKind.ASKED, 0, by="supervisor1", **{"with": "human"})

TABLE: list[tuple[str, list[Fact], list[tuple[str, float, float | None]]]] = [
    ("an old wish does not say", [f.ASKED], [("not known", 0, None)]),
    ("the assistant is there", [WISH], [(COMPANY, 0, None)]),
    ("through the whole wait for the REFER", [WISH, f.REFER_200, f.DEADLINE], [(COMPANY, 0, None)]),
    ("and while the carrier has the REFER", [WISH, f.REFER_200, f.REFER_SEEN], [(COMPANY, 0, None)]),
    ("a refused redirect changes nothing", [WISH, f.REDIRECT_500], [(COMPANY, 0, None)]),
    ("a redirect takes the assistant away", [WISH, f.REDIRECT_200], [(COMPANY, 0, 4.3), ("silence", 4.3, None)]),
    (
        "until the phone rings and is taken",
        [WISH, f.REDIRECT_200, f.FETCHED, ringing("redirect"), connected("redirect")],
        [
            (COMPANY, 0, 4.3),
            ("silence", 4.3, 6),
            ("ringing of Front desk", 6, 9),
            ("talking to Front desk", 9, None),
        ],
    ),
    (
        "the talk ends",
        [WISH, f.FETCHED, connected("redirect"), dial_ended("completed", bridged=True)],
        [(COMPANY, 0, 5), ("silence", 5, 9), ("talking to Front desk", 9, 30)],
    ),
    (
        "the next phone",
        [WISH, f.FETCHED, ringing("redirect"), dial_ended("busy", seconds=8, more=True), ringing("redirect", 9)],
        [
            (COMPANY, 0, 5),
            ("silence", 5, 6),
            ("ringing of Front desk", 6, 8),
            ("silence", 8, 9),
            ("ringing of Front desk", 9, None),
        ],
    ),
    ("the last phone", [WISH, f.FETCHED, dial_ended("busy", seconds=8)], [(COMPANY, 0, 5), ("silence", 5, 8)]),
    ("a lost answer", [WISH, f.REDIRECT_LOST], [(COMPANY, 0, 9.3), ("not known", 9.3, None)]),
    (
        "from when it was asked for",
        [WISH, fact(FactKind.REDIRECT_UNANSWERED, 9, reason="timeout", asked_at=at(4).isoformat())],
        [(COMPANY, 0, 4), ("not known", 4, None)],
    ),
    (
        "an AI leg that is still up",
        [WISH, f.REDIRECT_LOST, looked_up(11, "in-progress")],
        [(COMPANY, 0, 9.3), ("not known", 9.3, 11), (COMPANY, 11, None)],
    ),
    (
        "a look that could not tell",
        [WISH, f.REDIRECT_LOST, looked_up(11, None)],
        [(COMPANY, 0, 9.3), ("not known", 9.3, None)],
    ),
    ("cancelled", [WISH, f.CANCELLED], [(COMPANY, 0, 3)]),
    ("the caller left", [WISH, f.CALLER_LEFT], [(COMPANY, 0, 7)]),
    ("given up", [WISH, f.GAVE_UP], [(COMPANY, 0, 60)]),
    (
        "cancelled too late",
        [WISH, fact(FactKind.HUMAN_CONNECTED, 2, label="On call"), f.CANCELLED],
        [(COMPANY, 0, 2), ("talking to On call", 2, None)],
    ),
    (
        "a talk of whose beginning nobody told",
        [WISH, f.FETCHED, ringing("redirect"), dial_ended("completed", bridged=True)],
        [(COMPANY, 0, 5), ("silence", 5, 6), ("not known", 6, 30)],
    ),
    (
        "from one human to the next",
        [FROM_HUMAN, f.REDIRECT_200, f.FETCHED],
        [("still talking to the person before", 0, 4.3), ("silence", 4.3, None)],
    ),
]


@pytest.mark.parametrize(("facts", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_caller_heard(facts: list[Fact], expected: list[tuple[str, float, float | None]]) -> None:
    spans = heard(facts, asked_at=NOON, label="Front desk")

    assert [(span.words, span.start, span.end) for span in spans] == [
        (words, at(start), None if end is None else at(end)) for words, start, end in expected
    ]


@pytest.mark.parametrize(
    ("facts", "end"),
    [
        ([WISH, f.REFER_200, f.DEADLINE], 4),
        ([WISH, f.FETCHED, connected("redirect", 3)], None),
        ([WISH, f.LATE_REFER, ringing("refer", 10)], None),
    ],
)
def test_the_record_ends_when_the_transfer_settled_but_for_a_talk_and_a_late_ring(
    facts: list[Fact], end: float | None
) -> None:
    spans = heard(facts, asked_at=NOON, label="Front desk", settled_at=at(4))

    assert spans[-1].end == (None if end is None else at(end))


def test_a_span_is_cut_to_a_part_of_the_time() -> None:
    (span,) = heard([WISH, f.CALLER_LEFT], asked_at=NOON, label="Front desk")

    parts: list[Any] = [span.within(at(2), at(4)), span.within(at(6), None), span.within(at(7), None)]

    assert [part and (part.start, part.end) for part in parts] == [(at(2), at(4)), (at(6), at(7)), None]


@given(f.facts, st.data())
def test_order_and_repetition_change_nothing(facts: list[Fact], data: st.DataObject) -> None:
    repeated = facts + (data.draw(st.lists(st.sampled_from(facts), max_size=4)) if facts else [])

    spans = heard(data.draw(st.permutations(repeated)), asked_at=NOON, label="Front desk")

    assert spans == heard(facts, asked_at=NOON, label="Front desk")


@given(f.facts)
def test_spans_never_overlap_and_only_the_last_is_open(facts: list[Fact]) -> None:
    spans = heard(facts, asked_at=NOON, label="Front desk")

    for before, after in pairwise(spans):
        assert before.end is not None
        assert before.start < before.end <= after.start
