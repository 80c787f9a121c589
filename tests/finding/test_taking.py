"""A file of calls takes as much memory as a handful of them, however long it is."""

from __future__ import annotations

import tracemalloc
from datetime import timedelta

import pytest

from callops.calls.models import Call, Line
from callops.core.ids import new_id
from callops.finding import taking
from tests.rows import NOON, make_line

pytestmark = pytest.mark.django_db


def many(line: Line, count: int) -> None:
    Call.objects.all().delete()
    known = {"line": line, "from_number": "+15550123", "to_number": "+15550100", "started_at": NOON}
    Call.objects.bulk_create(
        [Call(id=new_id(NOON + timedelta(seconds=number)), token=f"t{number}", **known) for number in range(count)]
    )


def taken() -> tuple[int, int]:
    """How many rows were written, and the most memory that was in use meanwhile."""
    tracemalloc.start()
    count, before = 0, None
    while True:
        rows = taking.portion(Call.objects.all(), before)
        count += taking.as_csv(rows).count("\r\n")
        if len(rows) < taking.AT_ONCE:
            break
        before = rows[-1]["id"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return count, peak


def test_six_times_as_many_rows_take_no_more_memory() -> None:
    line = make_line()
    many(line, 1_000)
    taken()
    few, peak_of_few = taken()
    many(line, 6_000)

    count, peak = taken()

    assert (few, count) == (1_000, 6_000)
    assert peak < 1.3 * peak_of_few
