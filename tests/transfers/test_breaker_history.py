from __future__ import annotations

from datetime import UTC, datetime, timedelta

from callops.transfers.breaker_history import changes, stood
from callops.transfers.health import Fate, Refer
from callops.transfers.models import Force

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def minutes(many: float) -> datetime:
    return NOON + timedelta(minutes=many)


def refers(*fates: str) -> list[Refer]:
    return [Refer(minutes(place), str(place), Fate(fate)) for place, fate in enumerate(fates)]


def test_it_opened_with_the_seventh_silent_refer_and_closed_with_two_good_ones() -> None:
    course = stood(refers(*["unproven"] * 8, "proven", "proven"), [], [minutes(each) for each in range(12)])

    assert [(each.at, each.position) for each in changes(course)] == [
        (minutes(0), "closed"),
        (minutes(6), "open"),
        (minutes(9), "closed"),
    ]


def test_what_a_person_forced_held_until_it_was_taken_back() -> None:
    forced = [(minutes(2), Force.OPEN), (minutes(5), Force.AUTO)]

    course = stood(refers("proven"), forced, [minutes(each) for each in range(7)])

    assert [(each.at, str(each.position), each.is_forced) for each in changes(course)] == [
        (minutes(0), "closed", False),
        (minutes(2), "open", True),
        (minutes(5), "closed", False),
    ]


def test_a_day_without_a_refer_forgets_what_was() -> None:
    course = stood(refers(*["unproven"] * 8), [], [minutes(9), minutes(9 + 24 * 60)])

    assert [each.position for each in course] == ["open", "closed"]
