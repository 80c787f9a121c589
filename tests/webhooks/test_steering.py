"""Where a caller goes when the AI's dial has ended."""

from __future__ import annotations

import itertools

import pytest

from callops.webhooks.steering import DialEnd, Way, after_ai_dial

FIELDS = (
    "caller_on_line",
    "transfer_open",
    "being_moved",
    "human_there",
    "end_wished",
    "fallback_talked",
    "may_try_again",
    "nobody_came",
)


def way(*true: str) -> Way:
    return after_ai_dial(DialEnd(**{name: name in true for name in FIELDS}))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ((), Way.NOTHING),
        (("transfer_open", "being_moved"), Way.NOTHING),
        (("caller_on_line",), Way.RESCUE),
        (("caller_on_line", "end_wished"), Way.GOODBYE),
        (("caller_on_line", "end_wished", "may_try_again"), Way.GOODBYE),
        (("caller_on_line", "fallback_talked"), Way.GOODBYE),
        (("caller_on_line", "may_try_again"), Way.AI_AGAIN),
        (("caller_on_line", "may_try_again", "transfer_open"), Way.TRANSFER),
        (("may_try_again",), Way.NOTHING),
        (("caller_on_line", "transfer_open"), Way.TRANSFER),
        (("caller_on_line", "transfer_open", "being_moved"), Way.BRIDGE),
        (("caller_on_line", "transfer_open", "end_wished"), Way.TRANSFER),
        (("caller_on_line", "nobody_came"), Way.APOLOGY),
        (("nobody_came",), Way.NOTHING),
        (("caller_on_line", "nobody_came", "end_wished"), Way.GOODBYE),
        (("caller_on_line", "nobody_came", "transfer_open"), Way.TRANSFER),
        (("caller_on_line", "human_there"), Way.BRIDGE),
        (("caller_on_line", "human_there", "transfer_open"), Way.TRANSFER),
    ],
)
def test_what_is_known_decides(known: tuple[str, ...], expected: Way) -> None:
    assert way(*known) == expected


def test_a_caller_on_the_line_is_let_go_only_after_a_talk_or_when_somebody_ended_the_call_on_purpose() -> None:
    for known in itertools.chain.from_iterable(itertools.combinations(FIELDS, n) for n in range(len(FIELDS) + 1)):
        if "caller_on_line" in known and not {"end_wished", "fallback_talked"} & set(known):
            assert way(*known) not in (Way.NOTHING, Way.GOODBYE), known


def test_an_open_transfer_is_never_forgotten() -> None:
    for known in itertools.chain.from_iterable(itertools.combinations(FIELDS, n) for n in range(len(FIELDS) + 1)):
        if {"caller_on_line", "transfer_open"} <= set(known):
            assert way(*known) in (Way.TRANSFER, Way.BRIDGE), known
