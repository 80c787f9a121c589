"""Signs of life across processes: when a thing last happened, and whose turn it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from callops.core import beats
from callops.core.models import Beat
from tests.rows import at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beats, "_told", {})


def test_what_happened_last_is_known_to_everybody() -> None:
    beats.beat(beats.OPENAI_WEBHOOK, at(0))
    beats.beat(beats.OPENAI_WEBHOOK, at(5))

    assert beats.last(beats.OPENAI_WEBHOOK) == at(5)
    assert beats.last(beats.TWILIO_REQUEST) is None


def test_it_is_written_at_most_once_a_second() -> None:
    beats.beat(beats.OPENAI_WEBHOOK, at(0))

    beats.beat(beats.OPENAI_WEBHOOK, at(0.5))

    assert beats.last(beats.OPENAI_WEBHOOK) == at(0)


def test_a_beat_that_comes_late_does_not_turn_the_clock_back() -> None:
    Beat.objects.create(name=beats.TWILIO_REQUEST, at=at(10))

    beats.beat(beats.TWILIO_REQUEST, at(3))

    assert beats.last(beats.TWILIO_REQUEST) == at(10)


def test_of_two_processes_one_takes_the_turn() -> None:
    minute = timedelta(seconds=60)

    assert [beats.take_turn("sweep", at(0), every=minute) for _ in range(2)] == [True, False]
    assert [beats.take_turn("sweep", at(59), every=minute) for _ in range(2)] == [False, False]
    assert [beats.take_turn("sweep", at(60), every=minute) for _ in range(2)] == [True, False]


def test_engines_count_while_they_look_around_and_are_forgotten_when_they_died_long_ago() -> None:
    beats.engine_lives("one", at(0))
    beats.engine_lives("two", at(0))
    beats.engine_lives("one", at(20))
    assert (beats.engines(at(5)), beats.engines(at(25))) == (2, 1)

    beats.engine_left("one")
    beats.forget_the_dead(at(3700))

    assert Beat.objects.count() == 0


def test_a_beat_that_a_wrong_clock_dated_ahead_keeps_nobody_from_their_turn() -> None:
    Beat.objects.create(name="sweep", at=at(3600))
    Beat.objects.create(name=beats.TWILIO_REQUEST, at=at(3600))
    Beat.objects.create(name=f"{beats.ENGINE}ahead", at=at(3600))

    beats.beat(beats.TWILIO_REQUEST, at(0))

    assert [beats.take_turn("sweep", at(0), every=timedelta(minutes=1)) for _ in range(2)] == [True, False]
    assert beats.last(beats.TWILIO_REQUEST) == at(0)
    assert beats.engines(at(0)) == 0


def test_an_engine_counts_the_engines_that_live_with_one_query(django_assert_num_queries: Any) -> None:
    beats.engine_lives("one", at(0))

    with django_assert_num_queries(1):
        assert beats.engines(at(1)) == 1
