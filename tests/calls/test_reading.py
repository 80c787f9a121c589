"""What is read often is found by an index, however many calls there ever were."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection

from callops.calls.models import Call, CallQuerySet, MergedCall
from callops.core.clock import now
from tests.rows import make_call, make_line

pytestmark = pytest.mark.django_db

READINGS: dict[str, Callable[[], CallQuerySet]] = {
    "the board": lambda: Call.objects.on_board(now()),
    "calls that are not over": lambda: Call.objects.unfinished(),
    "one call by its id": lambda: Call.objects.known_as("01m8fqjr4jgy930x276hzwqxte"),
}


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
def test_not_every_call_that_ever_was_is_read_for(reading: Callable[[], CallQuerySet]) -> None:
    if is_postgresql := connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_indexscan = off")
            cursor.execute("SET LOCAL enable_indexonlyscan = off")
    plan = reading().order_by().explain()

    assert ("Seq Scan on calls_call" if is_postgresql else "SCAN calls_call\n") not in plan + "\n"


def test_a_call_is_known_by_its_own_id_and_by_that_of_a_half_which_became_part_of_it() -> None:
    line = make_line()
    call, other = make_call(line), make_call(line)
    MergedCall.objects.create(former_id="former", call=call)

    assert [Call.objects.known_as(known).get() for known in (call.pk, "former", other.pk)] == [call, call, other]
    assert not Call.objects.known_as("nobody").exists()
