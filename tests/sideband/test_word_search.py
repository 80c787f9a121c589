"""Calls by what was said on them: the same calls, whichever way they are looked for."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Q

from callops.calls.models import Call, Line
from callops.sideband import word_search
from callops.sideband.models import Turn
from tests.rows import at, make_call, make_line

pytestmark = pytest.mark.django_db

WAYS: dict[str, dict[str, int]] = {
    "few turns, looked up before the calls": {},
    "more turns, looked up with the calls": {"FEW": 0},
    "many turns, from the newest call on": {"FEW": 0, "MANY": 0},
    "often heard lately, from the newest call on": {"OFTEN": 1},
}


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in request.param.items():
        monkeypatch.setattr(word_search, name, value)


def say(text: str, *, speaker: str = "caller", final: bool = True) -> Call:
    call = make_call(Line.objects.first() or make_line())
    for position, words in enumerate(("Hello.", text)):
        Turn.objects.create(
            call=call,
            item_id=f"item_{position}",
            position=position,
            rev=position + 1,
            speaker=speaker,
            text=words,
            final=final,
            started_at=at(position),
        )
    return call


def found(condition: Q) -> set[Call]:
    return set(Call.objects.filter(condition))


@pytest.mark.usefixtures("way")
def test_a_word_is_found_on_every_call_it_was_said_on_and_on_no_other() -> None:
    said = {say("I want a REFUND, please."), say("refund!", speaker="assistant"), say("A refund-form")}
    other = {say("Refunding is easy."), say("refund", final=False), make_call(Line.objects.first())}

    assert found(word_search.on_call("refund")) == said
    assert found(~word_search.on_call("refund", is_turned=True)) == other
    assert found(word_search.on_call("refund") & word_search.on_call("form")) == found(word_search.on_call("form"))
    assert {each.turns.all()[1].speaker for each in found(word_search.on_call("refund", speaker="assistant"))} == {
        "assistant"
    }


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Order w3000 of 2024", "W3000"),
        ("Order w3000 of 2024", "2024"),
        ("Room 1e5abc.", "1e5abc"),
        ("Die Rückerstattung, bitte", "rückERSTATTUNG"),
        ("a b c", "b"),
        ("write to nora@example.com", "example"),
        ("no, never mind", "never mind"),
        ("they were refunded", "refund*"),
        ("100% sure_thing", "sure"),
        ("你好", "你好"),
    ],
)
def test_every_kind_of_word_is_found(text: str, phrase: str) -> None:
    call = say(text)
    say("something else")

    assert found(word_search.on_call(phrase)) == {call}
    assert call not in found(~word_search.on_call(phrase, is_turned=True))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("phrase", ["mind never", "efund", "%", "_", "", "never%mind*"])
def test_what_nobody_said_is_on_no_call(phrase: str) -> None:
    say("no, never was a refund of 100 percent on my mind")

    assert found(word_search.on_call(phrase)) == set()


def test_bug_a_word_of_many_turns_all_of_them_old_was_sought_through_every_turn_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(word_search, "FEW", 0)
    say("refund")
    if is_postgresql := connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")

    for condition in (word_search.on_call("refund"), ~word_search.on_call("refund", is_turned=True)):
        plan = Call.objects.filter(condition).explain()
        assert ("turn_full_text" if is_postgresql else "VIRTUAL TABLE INDEX") in plan
