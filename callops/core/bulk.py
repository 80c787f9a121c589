"""Many rows at once, with the least work for each: COPY and rows as one JSON text on PostgreSQL, few statements on
SQLite. The drivers give up the interpreter for every statement and have to get it back from an event loop that is busy,
while rows or the whole file are locked; and PostgreSQL's looks at every single value of a statement in Python.

For rows that come in hundreds a second and are known to fit; everything else goes through the ORM. Columns are named
as model fields, a foreign key's value is the other row's key, a choice is its plain text, and every column without a
default of the database's own has to be named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import msgspec
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import BinaryField, DateTimeField, Field, JSONField, Model

Values = Sequence[Any]

NOT_PLAIN = (BinaryField, DateTimeField, JSONField)
"""Fields whose values the driver does not take as they are."""
ROWS_IN_ONE = 500
"""SQLite takes 32,766 values in a statement."""


def insert(model: type[Model], names: Sequence[str], rows: Iterable[Values]) -> None:
    """The rows are there."""
    connection = _connection()
    prepared = _prepared(model, names, rows, connection)
    into = f"{_table(model, connection)} ({', '.join(_columns(model, names, connection))})"
    if connection.vendor != "postgresql":
        _in_few(connection, f"INSERT INTO {into} VALUES ", prepared)  # noqa: S608 - names of ours
    elif prepared:
        _copy(connection, f"COPY {into} FROM STDIN", prepared)


def upsert(model: type[Model], names: Sequence[str], rows: Iterable[Values], *, key: Sequence[str]) -> None:
    """The rows are there; one with the same `key` has the new values, and of two such rows the later one counts."""
    connection = _connection()
    columns = _columns(model, names, connection)
    known = [column for column, name in zip(columns, names, strict=True) if name in key]
    new = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in known)
    head = f"INSERT INTO {_table(model, connection)} ({', '.join(columns)}) "
    tail = f" ON CONFLICT ({', '.join(known)}) DO UPDATE SET {new}"
    places = [names.index(name) for name in key]
    latest = list({tuple(row[place] for place in places): row for row in rows}.values())  # no statement takes one twice
    if connection.vendor == "postgresql":
        rows_of = _recordset(model, names, connection)
        _as_json(connection, f"{head}SELECT * FROM {rows_of}{tail}", latest)  # noqa: S608 - names of ours
    else:
        _in_few(connection, f"{head}VALUES ", _prepared(model, names, latest, connection), tail)


def update(model: type[Model], names: Sequence[str], rows: Iterable[Values]) -> None:
    """Each row is (key of a row, new values in the order of `names`); the rows have these values."""
    connection = _connection()
    names = ["pk", *names]
    table, columns = _table(model, connection), _columns(model, names, connection)
    new = ", ".join(f"{column} = new.column{number}" for number, column in enumerate(columns[1:], start=2))
    head, tail = f"UPDATE {table} SET {new} FROM ", f" WHERE {table}.{columns[0]} = new.column1"  # noqa: S608 - names of ours
    if connection.vendor == "postgresql":
        _as_json(connection, f"{head}{_recordset(model, names, connection)}{tail}", list(rows))
    else:
        _in_few(connection, f"{head}(VALUES ", _prepared(model, names, rows, connection), f") AS new{tail}")


def raise_by(model: type[Model], pk: Any, name: str, by: int) -> int | None:
    """The number in this column is so much larger and the row is locked; its new value, None: there is no such row."""
    connection = _connection()
    column, key = (connection.ops.quote_name(_field(model, each).column) for each in (name, "pk"))
    table = _table(model, connection)
    sql = f"UPDATE {table} SET {column} = {column} + %s WHERE {key} = %s RETURNING {column}"  # noqa: S608 - names of ours
    with connection.cursor() as cursor:
        cursor.execute(sql, [by, pk])
        found = cursor.fetchall()
    return int(found[0][0]) if found else None


def _connection() -> Any:
    """This thread's connection itself: the usual `connection` looks it up at every touch, which costs much here."""
    return connections[DEFAULT_DB_ALIAS]


def _copy(connection: Any, sql: str, rows: Sequence[Values]) -> None:
    """PostgreSQL's way for many new rows; its errors are Django's, as everywhere."""
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(row)


def _in_few(connection: Any, head: str, rows: Sequence[Values], tail: str = "") -> None:
    """Many rows in each statement."""
    for start in range(0, len(rows), ROWS_IN_ONE):
        some = rows[start : start + ROWS_IN_ONE]
        sql = f"{head}{', '.join([_places(len(some[0]))] * len(some))}{tail}"
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for row in some for value in row])


def _as_json(connection: Any, sql: str, rows: Sequence[Values]) -> None:
    """All rows in one text, which PostgreSQL takes apart (`_recordset`)."""
    if rows:
        named = [{f"column{number}": value for number, value in enumerate(row, start=1)} for row in rows]
        with connection.cursor() as cursor:
            cursor.execute(sql, [msgspec.json.encode(named).decode()])


def _recordset(model: type[Model], names: Sequence[str], connection: Any) -> str:
    """The rows of a JSON text as the statement reads them, under the names that `VALUES` gives in SQLite.

    A column's type is without its length, to which a value would be cut silently.
    """
    fields = (_field(model, name) for name in names)
    types = (field.rel_db_type(connection) if field.primary_key else field.db_type(connection) for field in fields)
    columns = (f"column{number} {str(each).partition('(')[0]}" for number, each in enumerate(types, start=1))
    return f"json_to_recordset(%s::json) AS new({', '.join(columns)})"


def _prepared(model: type[Model], names: Sequence[str], rows: Iterable[Values], connection: Any) -> list[list[Any]]:
    """The rows as the database's driver takes them."""
    ready = [list(row) for row in rows]
    for index, name in enumerate(names):
        field = _field(model, name)
        if isinstance(field, NOT_PLAIN):
            for row in ready:
                row[index] = field.get_db_prep_save(row[index], connection)
    return ready


def _columns(model: type[Model], names: Sequence[str], connection: Any) -> list[str]:
    return [connection.ops.quote_name(_field(model, name).column) for name in names]


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    return cast("Field[Any, Any]", model._meta.pk if name == "pk" else model._meta.get_field(name))


def _table(model: type[Model], connection: Any) -> str:
    return str(connection.ops.quote_name(model._meta.db_table))


def _places(count: int) -> str:
    return f"({', '.join(['%s'] * count)})"
