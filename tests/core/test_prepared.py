"""A query whose SQL is made once answers as the query itself does, for whatever it is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from callops.calls.models import Call, Event
from callops.core.prepared import Asked, Prepared, among
from tests.rows import NOON, make_call

pytestmark = pytest.mark.django_db

COLUMNS = ("pk", "has_open_transfer", "started_at", "ended_at")


def test_keys_and_moments_are_asked_anew_each_time(django_assert_num_queries: Any) -> None:
    early, late = make_call(), make_call(started_at=NOON + timedelta(hours=1), has_open_transfer=True)
    query = Prepared(
        lambda: Call.objects.filter(among("pk", Asked("ids")), started_at__gte=Asked("since")).values_list(*COLUMNS)
    )
    both = [early.pk, late.pk]

    with django_assert_num_queries(4):
        assert [row[0] for row in query(ids=both, since=NOON)] == sorted(both, reverse=True)
        assert query(ids=both, since=NOON + timedelta(minutes=1)) == [(late.pk, True, late.started_at, None)]
        assert query(ids=[early.pk], since=NOON) == [(early.pk, False, NOON, None)]
        assert query(ids=[], since=NOON) == []


def test_what_is_asked_for_is_a_value_and_never_sql() -> None:
    make_call()
    query = Prepared(lambda: Call.objects.filter(among("pk", Asked("ids"))).values_list("pk"))

    assert query(ids=["' OR 1=1 --", '"]', "{a,b}", "%s", "\\"]) == []


def test_json_comes_back_as_it_was_stored() -> None:
    call = make_call()
    Event.objects.create(call=call, seq=1, at=NOON, lane="us", kind="us.fault", body={"what": ["é", 1, None]})
    query = Prepared(lambda: Event.objects.filter(call=Asked("call")).values_list("body", "body__what", "source_id"))

    assert query(call=call.pk) == [({"what": ["é", 1, None]}, ["é", 1, None], None)]


def test_a_query_that_can_find_nothing_finds_nothing(django_assert_num_queries: Any) -> None:
    make_call()
    query = Prepared(lambda: Call.objects.filter(line__in=[], started_at__gte=Asked("since")).values_list("pk"))

    with django_assert_num_queries(0):
        assert query(since=NOON) == query(since=NOON) == []
