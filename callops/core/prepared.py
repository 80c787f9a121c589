"""Queries that are asked many times a second: written as any other, and their SQL made once. To make it takes Django
longer than it takes the database to answer.

What is different each time stands in the query as `Asked("name")` and is given when it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, F, Lookup, QuerySet

Row = tuple[Any, ...]


class Asked(Expression):
    """A moment, a text, a number or keys (`among`) that are given when the query is asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


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
        self._made: tuple[str, Sequence[Any], Sequence[tuple[int, Any, Any]]] | None = None

    def __call__(self, **given: Any) -> list[Row]:
        """The rows for these values, as the query itself gives them. One query; none where nothing can be found."""
        connection: Any = connections[DEFAULT_DB_ALIAS]
        if self._made is None:
            self._made = self._make(connection)
        sql, places, converters = self._made
        if not sql:
            return []
        values = [_as_stored(given[place.name], connection) if isinstance(place, Asked) else place for place in places]
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            rows = cursor.fetchall()
        return [_converted(row, converters, connection) for row in rows] if converters else rows

    def _make(self, connection: Any) -> tuple[str, Sequence[Any], Sequence[tuple[int, Any, Any]]]:
        compiler: Any = self._write().query.get_compiler(connection=connection)
        try:
            sql, places = compiler.as_sql()
        except EmptyResultSet:  # nothing can ever be found: whoever sees no line sees no call
            return "", (), ()
        found = compiler.get_converters([column for column, _, _ in compiler.select])
        return sql, places, [(index, each, column) for index, (convert, column) in found.items() for each in convert]


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
