"""The record of a transfer: every try, in order, with what came of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.transfers.tries import Asked, End, Method, Try, tries_of
from callops.transfers.verdict import Fact, FactKind
from tests.rows import NOON, at
from tests.transfers import facts as f
from tests.transfers.facts import connected, dial_ended, fact, ringing

ASKED = Asked(at=NOON, label="Front desk", uri="tel:+15550111")
WISH = fact(FactKind.ASKED, 0, by="supervisor1", **{"with": "assistant"})


def iso(seconds: float) -> str:
    return at(seconds).isoformat()


def refer_answered(seconds: float = 0.6, status: int = 200, **more: Any) -> Fact:
    return fact(FactKind.REFER_ANSWERED, seconds, status=status, duration_ms=616, asked_at=iso(0), **more)


def redirect_answered(seconds: float, status: int = 200, *, asked: float, **more: Any) -> Fact:
    return fact(FactKind.REDIRECT_ANSWERED, seconds, status=status, duration_ms=300, asked_at=iso(asked), **more)


def record(*facts: Fact, **asked: Any) -> list[Try]:
    known = {"at": NOON, "label": "Front desk", "uri": "tel:+15550111"}
    return tries_of(facts, Asked(**{**known, **asked}))


def plain(made: list[Try]) -> list[tuple[str, int, str, str]]:
    return [(each.method.value, each.number, each.label, each.end.value) for each in made]


TABLE: list[tuple[str, list[Fact], dict[str, Any], list[tuple[str, int, str, str]]]] = [
    ("nothing was tried yet", [WISH], {}, []),
    ("a REFER is under way", [WISH], {"refer_at": NOON}, [("refer", 1, "Front desk", "waiting")]),
    ("a REFER was answered", [WISH, refer_answered()], {"refer_at": NOON}, [("refer", 1, "Front desk", "answered")]),
    ("a REFER was refused", [refer_answered(status=404)], {}, [("refer", 1, "Front desk", "refused")]),
    ("a REFER was never answered", [f.REFER_LOST], {}, [("refer", 1, "Front desk", "lost")]),
    (
        "a redirect that could not be sent failed",
        [fact(FactKind.REDIRECT_UNANSWERED, 5, reason="connect")],
        {},
        [("redirect", 1, "Front desk", "failed")],
    ),
    (
        "two redirects were answered, a third is under way",
        [redirect_answered(4.3, 503, asked=4), redirect_answered(5.3, 503, asked=5)],
        {"redirect_at": at(6), "redirect_tries": 3},
        [
            ("redirect", 1, "Front desk", "refused"),
            ("redirect", 2, "Front desk", "refused"),
            ("redirect", 3, "Front desk", "waiting"),
        ],
    ),
    (
        "the AI's leg was ended",
        [fact(FactKind.AI_LEG_END_ANSWERED, 8, status=200, asked_at=iso(7.8))],
        {"ai_leg_end_at": at(7.8)},
        [("end_ai_leg", 1, "Front desk", "answered")],
    ),
    ("the phone rings", [f.FETCHED, ringing("redirect")], {}, [("dial", 1, "Front desk", "ringing")]),
    ("they talk", [ringing("redirect"), connected("redirect")], {}, [("dial", 1, "Front desk", "talking")]),
    (
        "they talked",
        [ringing("redirect"), connected("redirect"), dial_ended("completed", bridged=True)],
        {},
        [("dial", 1, "Front desk", "talked")],
    ),
    (
        "the first was busy, the second talks",
        [
            fact(FactKind.DOCUMENT_FETCHED, 5, via="redirect"),
            dial_ended("busy", seconds=7, more=True, step=0),
            fact(FactKind.HUMAN_RINGING, 8, via="redirect", step=1, label="On call"),
            fact(FactKind.HUMAN_CONNECTED, 11, via="redirect", step=1, label="On call"),
        ],
        {},
        [("dial", 1, "Front desk", "busy"), ("dial", 2, "On call", "talking")],
    ),
    ("nobody answered", [dial_ended("no-answer")], {}, [("dial", 1, "Front desk", "no_answer")]),
    ("nobody took it", [dial_ended("completed", bridged=False)], {}, [("dial", 1, "Front desk", "not_taken")]),
    ("called off", [dial_ended("canceled")], {}, [("dial", 1, "Front desk", "called_off")]),
    ("a new word of the carrier", [dial_ended("evaporated")], {}, [("dial", 1, "Front desk", "unknown")]),
    (
        "the caller left while it rang",
        [ringing("redirect", 6), fact(FactKind.CALLER_LEFT, 7)],
        {},
        [("dial", 1, "Front desk", "caller_left")],
    ),
    (
        "rung by the REFER, then once more by the redirect",
        [f.REFER_SEEN, ringing("refer", 2), dial_ended("canceled", via="refer", seconds=5), ringing("redirect", 6)],
        {},
        [("dial", 1, "Front desk", "called_off"), ("dial", 2, "Front desk", "ringing")],
    ),
]


@pytest.mark.parametrize(("facts", "asked", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_every_try_is_told_in_order(
    facts: list[Fact], asked: dict[str, Any], expected: list[tuple[str, int, str, str]]
) -> None:
    assert plain(record(*facts, **asked)) == expected


def test_a_request_has_its_target_its_codes_and_its_duration() -> None:
    refused = fact(
        FactKind.REDIRECT_ANSWERED, 4.3, status=400, error_code=21220, duration_ms=312, asked_at=iso(4), target=""
    )

    refer, redirect = record(refer_answered(target="sip:+15550111@sip.example.com"), refused)

    assert (refer.uri, refer.asked_at, refer.answered_at) == ("sip:+15550111@sip.example.com", NOON, at(0.6))
    assert (refer.http_status, refer.error_code, refer.duration_ms) == (200, None, 616)
    assert (redirect.uri, redirect.http_status, redirect.error_code) == ("tel:+15550111", 400, "21220")
    assert (redirect.asked_at, redirect.duration_ms) == (at(4), 312)


def test_a_dial_has_its_ring_time_its_sip_code_and_when_the_human_was_there() -> None:
    facts = [
        f.FETCHED,
        ringing("redirect", 6),
        dial_ended("failed", seconds=8.5, more=True, sip_code=503, uri="tel:+15550111"),
        fact(FactKind.HUMAN_RINGING, 9, via="redirect", step=1, label="On call", uri="tel:+15550112"),
        fact(FactKind.HUMAN_CONNECTED, 12.25, via="redirect", step=1, label="On call", uri="tel:+15550112"),
    ]

    first, second = record(*facts)

    assert (first.asked_at, first.ring_ms, first.sip_code, first.human_connected_at) == (at(5), 2500, 503, None)
    assert (second.asked_at, second.ring_ms, second.human_connected_at) == (at(8.5), 3250, at(12.25))
    assert (first.uri, second.uri) == ("tel:+15550111", "tel:+15550112")


def test_a_ring_nobody_told_of_is_not_known() -> None:
    (only,) = record(f.FETCHED, connected("redirect"))

    assert only.ring_ms is None
    assert only.human_connected_at == at(9)


def test_each_try_has_what_the_caller_heard_until_the_next() -> None:
    facts = [
        WISH,
        refer_answered(),
        f.DEADLINE,
        redirect_answered(4.25, asked=4),
        f.FETCHED,
        ringing("redirect", 6),
        connected("redirect", 9),
    ]

    refer, redirect, dial = record(*facts)

    assert [(span.words, span.duration_ms) for span in refer.heard] == [("the assistant kept the caller company", 4000)]
    assert [(span.words, span.duration_ms) for span in redirect.heard] == [
        ("the assistant kept the caller company", 250),
        ("silence", 750),
    ]
    assert [(span.words, span.duration_ms) for span in dial.heard] == [
        ("silence", 1000),
        ("ringing of Front desk", 3000),
        ("talking to Front desk", None),
    ]


asked_of = st.builds(
    Asked,
    at=st.just(NOON),
    label=st.just("Front desk"),
    uri=st.just("tel:+15550111"),
    refer_at=st.none() | st.just(NOON),
    redirect_at=st.none() | st.just(at(4)),
    redirect_tries=st.integers(0, 3),
    ai_leg_end_at=st.none() | st.just(at(9)),
)


@given(f.facts, asked_of, st.data())
def test_order_and_repetition_change_nothing(facts: list[Fact], asked: Asked, data: st.DataObject) -> None:
    repeated = facts + (data.draw(st.lists(st.sampled_from(facts), max_size=4)) if facts else [])

    assert tries_of(data.draw(st.permutations(repeated)), asked) == tries_of(facts, asked)


@given(f.facts, asked_of)
def test_no_facts_however_strange_stop_the_record(facts: list[Fact], asked: Asked) -> None:
    made = tries_of(facts, asked)

    asked_ats = [each.asked_at or NOON for each in made]
    assert asked_ats == sorted(asked_ats)
    for each in made:
        assert each.method in Method
        assert each.end in End
        assert each.number >= 1
        assert each.ring_ms is None or each.ring_ms >= 0
