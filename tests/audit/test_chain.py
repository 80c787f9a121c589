"""The chain has no gap and no fork, and whatever is done to a row is found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import close_old_connections, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callops.audit import chain
from callops.audit.models import Anchor, Entry, Head, Unchangeable
from tests.rows import NOON, at


def verified() -> str:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    return out.getvalue()


@pytest.fixture
def three(db: None) -> list[Entry]:
    return [chain.record("nora", verb, now=at(second), detail={"n": second}) for second, verb in enumerate("abc")]


def test_each_entry_holds_the_hash_of_the_one_before(three: list[Entry]) -> None:
    first, second, third = three

    assert [entry.number for entry in three] == [1, 2, 3]
    assert (first.before, second.before, third.before) == (chain.START, first.digest, second.digest)
    assert verified() == "The audit is whole: 3 entries.\n"


@pytest.mark.django_db
def test_an_empty_audit_is_whole() -> None:
    assert chain.first_fault() is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("who", "otto"),
        ("verb", "x"),
        ("call", "c"),
        ("detail", {"n": 2}),
        ("at", at(9)),
        ("before", "0" * 64),
        ("digest", "1" * 64),
    ],
)
def test_a_changed_row_is_found_and_named(three: list[Entry], column: str, value: object) -> None:
    Entry.objects.filter(number=2).update(**{column: value})

    with pytest.raises(CommandError, match=r"Entry 2 "):
        verified()


def test_a_missing_row_is_found_wherever_it_was(three: list[Entry]) -> None:
    for number, why in ((1, "Entry 1 is missing"), (2, "Entry 2 is missing"), (3, "ends with 2")):
        kept = list(Entry.objects.order_by("number").values())
        Entry.objects.filter(number=number)._raw_delete("default")
        assert why in str(chain.first_fault())
        Entry.objects.all()._raw_delete("default")
        Entry.objects.bulk_create(Entry(**row) for row in kept)
    assert chain.first_fault() is None


def test_rows_that_changed_places_are_found(three: list[Entry]) -> None:
    Entry.objects.filter(number=3).update(number=99)
    Entry.objects.filter(number=2).update(number=3)
    Entry.objects.filter(number=99).update(number=2)

    assert "Entry 2 does not follow" in str(chain.first_fault())


def test_a_row_is_neither_changed_nor_deleted_by_the_program(three: list[Entry]) -> None:
    with pytest.raises(Unchangeable):
        three[0].save()
    with pytest.raises(Unchangeable):
        three[0].delete()


def entries(*days: int, call: str = "") -> None:
    for day in days:
        chain.record("ada", "act", now=NOON + timedelta(days=day), call=call)


def cut(day: int, *, held: tuple[str, ...] = ()) -> int:
    return chain.forget(NOON + timedelta(days=day), held=held, now=NOON + timedelta(days=100))


@pytest.mark.django_db
def test_old_entries_are_forgotten_from_the_first_on_and_the_rest_is_whole() -> None:
    entries(0, 1, 2, 3)

    assert cut(2) == 2

    assert list(Entry.objects.order_by("number").values_list("number", "verb")) == [
        *((3, "act"), (4, "act"), (5, "forget audit"))
    ]
    assert chain.first_fault() is None
    entries(101)
    assert chain.first_fault() is None
    assert cut(2) == 0
    assert cut(3) == 1
    assert chain.first_fault() is None


@pytest.mark.django_db
def test_not_too_many_are_forgotten_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "AT_ONCE", 2)
    entries(0, 1, 2)

    assert (cut(50), cut(50), cut(50)) == (2, 1, 0)
    assert chain.first_fault() is None


@pytest.mark.django_db
def test_all_may_be_forgotten_but_the_entry_that_says_so() -> None:
    entries(0, 1)

    assert cut(50) == 2

    assert [entry.verb for entry in Entry.objects.all()] == ["forget audit"]
    assert chain.first_fault() is None


@pytest.mark.django_db
def test_an_entry_about_a_call_on_hold_stays_and_all_after_it() -> None:
    entries(0)
    entries(1, call="held")
    entries(2)

    assert cut(50, held=("held",)) == 1

    assert list(Entry.objects.order_by("number").values_list("number", flat=True))[:2] == [2, 3]
    assert chain.first_fault() is None


@pytest.mark.django_db
def test_a_cut_that_the_audit_does_not_know_of_is_found() -> None:
    entries(0, 1, 2, 3)
    cut(1)
    second = Entry.objects.get(number=3)

    Entry.objects.filter(number__lte=3).order_by().delete()
    Anchor.objects.update(number=3, digest=second.digest)

    assert "does not begin where it was cut off" in (chain.first_fault() or "")
    Anchor.objects.all().delete()
    assert chain.first_fault() is not None


@pytest.mark.django_db
def test_an_entry_that_came_late_by_its_clock_keeps_those_after_it() -> None:
    entries(5, 0, 1)

    assert cut(3) == 0
    assert Entry.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_many_who_write_at_once_make_one_chain() -> None:
    def write(number: int) -> None:
        try:
            chain.record(f"person-{number}", "act", now=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    close_old_connections()

    assert sorted(Entry.objects.values_list("number", flat=True)) == list(range(1, 41))
    assert chain.first_fault() is None
    assert Head.objects.get().number == 40


TEXT = st.text(max_size=20)
VALUES = st.none() | st.booleans() | st.integers(-(2**50), 2**50) | TEXT


@pytest.mark.django_db
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    who=TEXT, detail=st.dictionaries(TEXT, st.none() | st.booleans() | st.integers(-(2**50), 2**50) | TEXT, max_size=4)
)
def test_whatever_is_written_is_read_as_it_was(who: str, detail: dict[str, object]) -> None:
    chain.record(who, "act", now=NOON, detail=detail)

    assert chain.first_fault() is None
