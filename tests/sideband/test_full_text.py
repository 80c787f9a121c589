"""The words of a transcript are found, and what is gone is found no more, on both databases alike."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from callops.calls.models import Call
from callops.core import clock
from callops.custody import erasing
from callops.sideband import full_text
from callops.sideband.models import Turn
from tests.rows import make_call, make_line

pytestmark = pytest.mark.django_db


def say(call: Call, text: str, **fields: Any) -> Turn:
    position = Turn.objects.filter(call=call).count()
    about = {"item_id": f"i{position}", "position": position, "speaker": "caller", "final": True} | fields
    return Turn.objects.create(call=call, text=text, started_at=clock.now(), **about)


@pytest.fixture
def call() -> Call:
    return make_call(make_line())


def found(*phrases: str, **fields: str) -> list[str]:
    """What is found by the index; and the same is found among texts that are looked at one by one."""
    texts = sorted(turn.text for turn in full_text.saying(phrases, **fields))
    assert sorted(turn.text for turn in full_text.saying(phrases, **fields, one_by_one=True)) == texts
    return texts


@pytest.mark.parametrize(
    ("text", "phrase", "is_found"),
    [
        ("I want a refund, please.", "refund", True),
        ("I want a REFUND!", "Refund", True),
        ("I was refunded", "refund", False),
        ("I was refunded", "refund*", True),
        ("give me the money back", "money back", True),
        ("give me back the money", "money back", False),
        ("the money, back now", "money ba*", True),
        ("write to ada@example.com", "example", True),
        ("write to ada@example.com", "ada@example.com", True),
        ("it costs 4.50 euros", "4.50", True),
        ("Grüße aus Köln", "köln", True),
        ("Grüße aus Köln", "koln", False),
        ("a well-known bank", "well-known", True),
        ("snake_case words", "case", True),
        ("don't", "don't", True),
        ("it's 'quoted' & (odd) | words:*", "odd words", True),
        ("nothing", "!?", False),
        ("nothing", "", False),
        ("ok 👍 then", "ok then", True),
    ],
)
def test_a_phrase_is_found_word_after_word(call: Call, text: str, phrase: str, *, is_found: bool) -> None:
    say(call, text)

    assert found(phrase) == ([text] if is_found else [])


def test_all_phrases_have_to_be_in_one_turn_and_of_the_speaker_asked_for(call: Call) -> None:
    say(call, "a refund for the blue one", speaker="assistant")
    say(call, "a refund for the red one")

    assert found("refund", "one") == ["a refund for the blue one", "a refund for the red one"]
    assert found("refund", "red") == ["a refund for the red one"]
    assert found("refund", speaker="assistant") == ["a refund for the blue one"]
    assert found() == []


def test_words_are_found_once_their_turn_is_finished_and_as_they_are_then(call: Call) -> None:
    turn = say(call, "my card is 41", final=False)
    assert found("card") == []

    Turn.objects.filter(pk=turn.pk).update(text="my card is [card number]", final=True)
    assert found("card") == ["my card is [card number]"]

    Turn.objects.filter(pk=turn.pk).update(text="my house")
    assert (found("card"), found("house")) == ([], ["my house"])

    Turn.objects.filter(pk=turn.pk).update(final=False)
    assert found("house") == []


def test_what_was_erased_is_found_no_more_and_in_no_page_of_the_index() -> None:
    call = make_call(make_line(), state="ended", ended_at=clock.now())
    say(call, "secret words")
    say(call, "more secret words")

    erasing.erase(call.from_number, by="ada", now=clock.now())

    assert found("secret") == []
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT group_concat(hex(block)) FROM sideband_turn_text_data")
            assert b"secret".hex().upper() not in str(cursor.fetchone()[0])


def test_a_turn_of_a_megabyte_of_different_words_is_kept_and_found_by_its_beginning(call: Call) -> None:
    say(call, " ".join(f"𝔴{number:x}" for number in range(150_000)))

    assert len(found("𝔴1f")) == 1


@given(text=st.text(max_size=200), phrase=st.text(max_size=60))
def test_no_text_and_no_phrase_breaks_a_search(text: str, phrase: str) -> None:
    call = Call.objects.first() or make_call(make_line())
    Turn.objects.all().delete()
    say(call, text.replace("\0", ""))

    assert len(found(phrase)) <= 1


def test_the_search_goes_by_an_index(call: Call) -> None:
    say(call, "refund")
    is_postgresql = connection.vendor == "postgresql"
    if is_postgresql:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = full_text.saying(["refund"]).order_by().explain()

    assert ("turn_full_text" if is_postgresql else "VIRTUAL TABLE INDEX") in plan
