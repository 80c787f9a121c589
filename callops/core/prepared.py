"""Queries that are asked many times a second: written as any other, and their SQL made once. To make it takes Django
longer than it takes the database to answer.

What is different each time stands in the query as `Asked("name")` and is given when it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, F, Lookup, QuerySet
from django.db.models.sql import UpdateQuery
from django.db.transaction import TransactionManagementError

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
            self._made = _select(self._write(), connection)
        sql, places, converters, locks = self._made
        if locks and not connection.in_atomic_block:
            raise TransactionManagementError("Rows can be locked in a transaction only.")
        if not sql:
            return []
        with connection.cursor() as cursor:
            cursor.execute(sql, _filled(places, given, connection))
            rows = cursor.fetchall()
        return [_converted(row, converters, connection) for row in rows] if converters else rows


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


def _select(query: QuerySet[Any, Any], connection: Any) -> _Select:
    compiler: Any = query.query.get_compiler(connection=connection)
    locks = query.query.select_for_update
    try:
        sql, places = compiler.as_sql()
    except EmptyResultSet:  # nothing can ever be found: whoever sees no line sees no call
        return _Select("", locks=locks)
    found = compiler.get_converters([column for column, _, _ in compiler.select])
    converters = [(index, each, column) for index, (convert, column) in found.items() for each in convert]
    return _Select(sql, places, converters, locks)


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
