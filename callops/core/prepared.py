"""Queries that are asked many times a second: written as any other, and their SQL made once. To make it takes Django
longer than it takes the database to answer.

What is different each time stands in the query as `Asked("name")` and is given when it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

import msgspec
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, F, Lookup, Model, QuerySet
from django.db.models import query as machinery
from django.db.models.sql import UpdateQuery
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=Model)
Row = tuple[Any, ...]


class Asked(Expression):
    """A moment, a text, a number or keys (`among`) that are given when the query is asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class Literal(Expression):
    """A word of ours that stands in the SQL itself: by a value that is given apart, SQLite does not see that a query
    asks for no more than a partial index has.
    """

    def __init__(self, word: str) -> None:
        super().__init__()
        if not word.isidentifier():
            raise ValueError(f"{word!r} is more than a word.")
        self.word = str(word)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return f"'{self.word}'", []


class _Among(Lookup):
    """One parameter, however many keys there are: a driver looks at every single one in Python."""

    lookup_name = "among"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        name, _ = self.process_lhs(compiler, connection)
        keys, given = compiler.compile(self.rhs)
        if connection.vendor == "postgresql":
            return f"{name} = ANY({keys})", list(given)
        return f"{name} IN (SELECT value FROM json_each({keys}))", list(given)  # noqa: S608 - no value is in it


def among(name: str, asked: Asked) -> Any:
    """The condition that this column is one of the keys that are asked for."""
    return _Among(F(name), asked)


class Prepared:
    """The query that `write` writes, a `values_list`; its SQL is made when it is first asked."""

    def __init__(self, write: Callable[[], QuerySet[Any, Any]]) -> None:
        self._write: Final = write
        self._made: _Select | None = None

    def __call__(self, **given: Any) -> list[Row]:
        """The rows for these values, as the query itself gives them. One query; none where nothing can be found.

        Rows that it locks (`select_for_update`) are locked until the end of the transaction, and there must be one.
        """
        connection: Any = connections[DEFAULT_DB_ALIAS]
        if self._made is None:
            self._made = self._select(connection)
        sql, places, converters, locks = self._made
        if locks and not connection.in_atomic_block:
            raise TransactionManagementError("Rows can be locked in a transaction only.")
        if not sql:
            return []
        with connection.cursor() as cursor:
            cursor.execute(sql, _filled(places, given, connection))
            rows = cursor.fetchall()
        return [_converted(row, converters, connection) for row in rows] if converters else rows

    def _select(self, connection: Any) -> _Select:
        query = self._write().query
        compiler: Any = query.get_compiler(connection=connection)
        try:
            sql, places = compiler.as_sql()
        except EmptyResultSet:  # nothing can ever be found: whoever sees no line sees no call
            return _Select("", locks=query.select_for_update)
        self._selected(compiler)
        found = compiler.get_converters([column for column, _, _ in compiler.select])
        converters = [(index, each, column) for index, (convert, column) in found.items() for each in convert]
        return _Select(sql, places, converters, query.select_for_update)

    def _selected(self, compiler: Any) -> None:
        """What else is to be known of a query whose SQL was made."""


class PreparedRows(Prepared, Generic[M]):
    """The same for a query of whole rows, also of what it joins (`select_related`) or locks (`select_for_update`)."""

    _build: Callable[[Row], M]

    def __init__(self, write: Callable[[], QuerySet[M, M]]) -> None:
        super().__init__(write)

    def found(self, **given: Any) -> list[M]:
        """The instances for these values, as the query itself gives them. One query."""
        return [self._build(row) for row in self(**given)]

    def first(self, **given: Any) -> M | None:
        """The first of them; None when there is none."""
        found = self.found(**given)
        return found[0] if found else None

    def _selected(self, compiler: Any) -> None:
        """As Django itself makes instances of a row."""
        wanted = compiler.klass_info
        model, start, end = wanted["model"], wanted["select_fields"][0], wanted["select_fields"][-1] + 1
        names = [column.target.attname for column, _, _ in compiler.select[start:end]]
        related = cast(Any, machinery).get_related_populators(wanted, compiler.select, DEFAULT_DB_ALIAS)

        def build(row: Row) -> M:
            made: M = model.from_db(DEFAULT_DB_ALIAS, names, row[start:end])
            for each in related:
                each.populate(row, made)
            return made

        self._build = build


class PreparedChange:
    """The same for an update: `write` gives the rows, and the new values of their fields."""

    def __init__(self, write: Callable[[], tuple[QuerySet[Any, Any], Mapping[str, Any]]]) -> None:
        self._write: Final = write
        self._made: tuple[str, Sequence[Any]] | None = None

    def __call__(self, **given: Any) -> int:
        """The rows have the new values; how many there were. One statement."""
        connection: Any = connections[DEFAULT_DB_ALIAS]
        if self._made is None:
            self._made = _update(*self._write(), connection)
        sql, places = self._made
        with connection.cursor() as cursor:
            cursor.execute(sql, _filled(places, given, connection))
            return int(cursor.rowcount)


class _Select(NamedTuple):
    sql: str
    places: Sequence[Any] = ()
    converters: Sequence[tuple[int, Any, Any]] = ()
    locks: bool = False


def _update(rows: QuerySet[Any, Any], new: Mapping[str, Any], connection: Any) -> tuple[str, Sequence[Any]]:
    query: Any = rows.query.chain(UpdateQuery)
    query.add_update_values(new)
    sql, places = query.get_compiler(connection=connection).as_sql()
    return sql, places


def _filled(places: Sequence[Any], given: Mapping[str, Any], connection: Any) -> list[Any]:
    return [_as_stored(given[place.name], connection) if isinstance(place, Asked) else place for place in places]


def _as_stored(value: Any, connection: Any) -> Any:
    """The value as the database's driver takes it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, Collection) and not isinstance(value, str):
        return list(value) if connection.vendor == "postgresql" else msgspec.json.encode(list(value)).decode()
    return value


def _converted(row: Row, converters: Sequence[tuple[int, Any, Any]], connection: Any) -> Row:
    values = list(row)
    for index, convert, column in converters:
        if values[index] is not None:
            values[index] = convert(values[index], column, connection)
    return tuple(values)
