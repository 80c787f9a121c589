"""A query whose SQL is made once answers as the query itself does, for whatever it is asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import DateTimeField, F
from django.db.models.functions import Coalesce, Now
from django.db.transaction import TransactionManagementError

from callops.calls.models import Call, Event
from callops.core.prepared import Asked, Literal, Prepared, PreparedChange, PreparedRows, among
from tests.rows import NOON, make_call, make_line

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


def test_rows_are_locked_where_the_database_locks_rows(django_assert_num_queries: Any) -> None:
    call = make_call()
    query = Prepared(
        lambda: Call.objects.filter(among("pk", Asked("ids"))).select_for_update().order_by("pk").values_list("pk")
    )

    with transaction.atomic(), django_assert_num_queries(1) as asked:
        assert query(ids=[call.pk]) == [(call.pk,)]
    assert ("FOR UPDATE" in asked[0]["sql"]) == connection.features.has_select_for_update


@pytest.mark.django_db(transaction=True)
def test_rows_are_not_locked_where_no_transaction_would_hold_the_lock() -> None:
    query = Prepared(lambda: Call.objects.select_for_update().values_list("pk"))

    for _ in range(2):
        with pytest.raises(TransactionManagementError):
            query()
    with transaction.atomic():
        assert query() == []
    with pytest.raises(TransactionManagementError):
        query()


def test_a_change_changes_the_rows_that_are_asked_for_and_says_how_many(django_assert_num_queries: Any) -> None:
    early, late = make_call(from_number="a"), make_call(started_at=NOON + timedelta(hours=1), from_number="a")
    change = PreparedChange(
        lambda: (
            Call.objects.filter(among("pk", Asked("ids")), started_at__lte=Asked("until")),
            {"to_number": Asked("number"), "ended_at": Asked("at"), "answered_at": None, "last_seq": F("last_seq") + 1},
        )
    )
    both, one_day = [early.pk, late.pk], NOON + timedelta(days=1)

    with django_assert_num_queries(3):
        assert change(ids=both, until=NOON, number="1", at=one_day) == 1
        assert change(ids=both, until=one_day, number="%s' --", at=None) == 2
        assert change(ids=[], until=one_day, number="2", at=None) == 0

    rows = list(
        Call.objects.order_by("started_at").values_list("pk", "to_number", "ended_at", "answered_at", "last_seq")
    )
    assert rows == [(early.pk, "%s' --", None, None, 2), (late.pk, "%s' --", None, None, 1)]


@pytest.mark.parametrize("given", [NOON, None], ids=["given", "the database's"])
def test_a_moment_may_be_left_to_the_databases_clock(given: datetime | None) -> None:
    call = make_call(started_at=NOON - timedelta(minutes=1))
    moment = Coalesce(Asked("now"), Now(), output_field=DateTimeField())
    query = Prepared(lambda: Call.objects.filter(started_at__lt=moment).values_list("pk"))
    change = PreparedChange(lambda: (Call.objects.all(), {"ended_at": moment + timedelta(seconds=5)}))

    assert query(now=given) == [(call.pk,)]
    assert query(now=NOON - timedelta(hours=1)) == []
    change(now=given)

    ended_at = Call.objects.get().ended_at
    assert ended_at == NOON + timedelta(seconds=5) if given else ended_at and ended_at > NOON + timedelta(days=1)


def test_a_word_that_stands_in_the_sql_is_no_more_than_a_word() -> None:
    call = make_call(end_wish="operator")
    query = Prepared(lambda: Call.objects.filter(end_wish__in=[Literal("operator")]).values_list("pk"))

    assert query() == [(call.pk,)]
    with pytest.raises(ValueError, match="more than a word"):
        Literal("operator' OR '1")


def test_whole_rows_come_with_what_their_query_joins(django_assert_num_queries: Any) -> None:
    call, alone = make_call(make_line(redact=["iban"])), make_call(None)
    query = PreparedRows(lambda: Call.objects.select_related("line__breaker").filter(pk=Asked("pk")))

    with django_assert_num_queries(3):
        found, lonely = query.first(pk=call.pk), query.first(pk=alone.pk)
        assert found is not None
        assert found.line is not None
        assert lonely is not None
        assert query.first(pk="nobody") is None
        assert (found, found.started_at, found.line, lonely.line) == (call, call.started_at, call.line, None)
        assert (found.line.redact, hasattr(found.line, "breaker")) == (["iban"], False)
    assert not found._state.adding


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_in_a_transaction_only() -> None:
    call = make_call()
    query = PreparedRows(lambda: Call.objects.select_for_update().filter(pk=Asked("pk")))

    with transaction.atomic():
        assert query.found(pk=call.pk) == [call]
    with pytest.raises(TransactionManagementError, match="in a transaction only"):
        query.found(pk=call.pk)
