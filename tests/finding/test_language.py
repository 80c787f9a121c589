from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.finding.fields import FIELDS, Field
from callops.finding.language import Is, Query, parse

NOW = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)


def asked(text: str) -> Query:
    return parse(text, now=NOW)


def test_the_example_of_the_guide_is_understood() -> None:
    query = asked('mechanism:redirect refer:unseen wait>10s stage:webhook_missing since:2h "refund"')

    assert query.problems == ()
    assert [(term.name, term.op, term.value) for term in query.of(Is.FIELD)] == [
        ("mechanism", ":", "redirect"),
        ("refer", ":", "unseen"),
        ("wait", ">", 10.0),
        ("stage", ":", "webhook_missing"),
        ("since", ":", NOW - timedelta(hours=2)),
    ]
    assert [term.value for term in query.of(Is.WORDS)] == ["refund"]


@pytest.mark.parametrize(
    ("text", "digits"),
    [("+49 30 1234", ["49301234"]), ("(030) 12-34 refund 7", ["0301234", "7"]), ('"4711"', []), ("a1", [])],
)
def test_what_is_written_like_a_number_is_one_number(text: str, digits: list[str]) -> None:
    assert [term.value for term in asked(text).of(Is.NUMBER)] == digits


@pytest.mark.parametrize(
    ("text", "kind", "is_turned"),
    [("-refund", Is.WORDS, True), ("-mechanism:refer", Is.FIELD, True), ('-"not this"', Is.WORDS, True)],
)
def test_a_minus_turns_a_term_around(text: str, kind: Is, *, is_turned: bool) -> None:
    (term,) = asked(text).terms

    assert (term.kind, term.is_turned) == (kind, is_turned)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("wait>10s", 10), ("wait>1m30s", 90), ("wait<2", 2), ("lasted>1.5h", 5400), ("wait>500ms", 0.5)],
)
def test_durations_are_written_as_people_do(text: str, seconds: float) -> None:
    (term,) = asked(text).terms

    assert term.value == seconds


def test_days_begin_at_midnight_where_the_person_is() -> None:
    zone = timezone(timedelta(hours=2))
    moments = [
        parse(f"since:{text}", now=NOW, zone=zone).terms[0].value
        for text in ("today", "yesterday", "2026-11-01", "2026-11-01T10:00", "2026-11-01T10:00Z", "7d")
    ]

    assert moments == [
        datetime(2026, 11, 27, tzinfo=zone),
        datetime(2026, 11, 26, tzinfo=zone),
        datetime(2026, 11, 1, tzinfo=zone),
        datetime(2026, 11, 1, 10, tzinfo=zone),
        datetime(2026, 11, 1, 10, tzinfo=UTC),
        NOW - timedelta(days=7),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mechansim:refer", "Did you mean “mechanism”"),
        ("mechanism:pigeon", "refer, redirect"),
        ("wait:10s", "wait>10s"),
        ("wait>soon", "wait>10s"),
        ("since:someday", "since:2h"),
        ("since:1901-01-01", "since:2h"),
        ("wait>9999w", "wait>10s"),
        ("stage:", "wants a value"),
        ("---", "no word"),
    ],
)
def test_what_makes_no_sense_is_said_with_how_to_mend_it(text: str, says: str) -> None:
    query = asked(f"{text} refund")

    assert [says in problem.why for problem in query.problems] == [True]
    assert [term.value for term in query.terms] == ["refund"]


def test_an_unknown_name_that_is_like_no_other_is_words() -> None:
    (term,) = asked("https://example.com").terms

    assert (term.kind, term.value) == (Is.WORDS, "https://example.com")


def test_a_query_is_written_again_without_one_of_its_terms() -> None:
    query = asked('mechanism:refer "two words" +49 30 wiat>3s')

    assert query.without(query.terms[0]) == '"two words" +49 30 wiat>3s'
    assert query.without(query.problems[0]) == 'mechanism:refer "two words" +49 30'


@given(st.text(max_size=120))
def test_whatever_is_typed_is_understood_or_told_of_and_nothing_is_lost(text: str) -> None:
    query = asked(text)
    written = " ".join(each.text for each in query.parts)

    assert sorted("".join(text.split())) == sorted("".join(written.split()))
    again = asked(written)
    assert {term.value for term in again.terms} == {term.value for term in query.terms} or query.problems


@given(
    st.lists(st.sampled_from(["wait>", "-", '"', "since:", "refer:unseen", "99999999d", "+49", "*", " ", "0001-01-01"]))
)
def test_no_pieces_of_the_language_put_together_break_it(pieces: list[str]) -> None:
    asked("".join(pieces))


def test_the_guide_has_every_name_with_its_words() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "searching.md").read_text()

    for field in FIELDS.values():
        assert re.search(rf"^\| `{field.name}[:<>]", guide, re.MULTILINE), field.name
        assert f"| {', '.join(field.words)} |" in guide


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_every_example_is_understood(field: Field) -> None:
    for example in re.split(r", | or ", field.example):
        assert asked(example).problems == ()
