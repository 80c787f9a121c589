"""Many rows at once, with the least work for each: COPY on PostgreSQL, few statements on SQLite.

For rows that come in hundreds a second and are known to fit; everything else goes through the ORM. Columns are named
as model fields, a foreign key's value is the other row's key, a choice is its plain text, and every column without a
default of the database's own has to be named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

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
    columns, prepared = _prepared(model, names, rows, connection)
    into = f"{_table(model, connection)} ({', '.join(columns)})"
    if connection.vendor != "postgresql":
        _in_few(connection, f"INSERT INTO {into} VALUES ", prepared)  # noqa: S608 - names of ours
    elif prepared:
        _copy(connection, f"COPY {into} FROM STDIN", prepared)


def upsert(model: type[Model], names: Sequence[str], rows: Iterable[Values], *, key: Sequence[str]) -> None:
    """The rows are there; one with the same `key` has the new values."""
    connection = _connection()
    columns, prepared = _prepared(model, names, rows, connection)
    known = [column for column, name in zip(columns, names, strict=True) if name in key]
    new = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in known)
    head = f"INSERT INTO {_table(model, connection)} ({', '.join(columns)}) VALUES "  # noqa: S608 - names of ours
    tail = f" ON CONFLICT ({', '.join(known)}) DO UPDATE SET {new}"
    if connection.vendor != "postgresql":
        _in_few(connection, head, prepared, tail)
    else:  # in one statement PostgreSQL would refuse a key that comes twice
        _one_by_one(connection, f"{head}{_places(len(columns))}{tail}", prepared)


def update(model: type[Model], names: Sequence[str], rows: Iterable[Values]) -> None:
    """Each row is (key of a row, new values in the order of `names`); the rows have these values."""
    connection = _connection()
    columns, prepared = _prepared(model, ["pk", *names], rows, connection)
    table = _table(model, connection)
    if connection.vendor != "postgresql":
        new = ", ".join(f"{column} = new.column{number}" for number, column in enumerate(columns[1:], start=2))
        tail = f") AS new WHERE {table}.{columns[0]} = new.column1"
        _in_few(connection, f"UPDATE {table} SET {new} FROM (VALUES ", prepared, tail)  # noqa: S608 - names of ours
    else:  # there the values would need casts
        new = ", ".join(f"{column} = %s" for column in columns[1:])
        sql = f"UPDATE {table} SET {new} WHERE {columns[0]} = %s"  # noqa: S608 - names of ours
        _one_by_one(connection, sql, [[*values, pk] for pk, *values in prepared])


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
    """Many rows in each statement.

    SQLite's driver gives up the interpreter for every statement and has to get it back, while the file is locked.
    """
    for start in range(0, len(rows), ROWS_IN_ONE):
        some = rows[start : start + ROWS_IN_ONE]
        sql = f"{head}{', '.join([_places(len(some[0]))] * len(some))}{tail}"
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for row in some for value in row])


def _one_by_one(connection: Any, sql: str, rows: Sequence[Values]) -> None:
    """A statement for each row; PostgreSQL gets them all without waiting for each answer."""
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)


def _prepared(
    model: type[Model], names: Sequence[str], rows: Iterable[Values], connection: Any
) -> tuple[list[str], list[list[Any]]]:
    """The columns, and the rows as the database's driver takes them."""
    fields = [_field(model, name) for name in names]
    ready = [list(row) for row in rows]
    for index, field in enumerate(fields):
        if isinstance(field, NOT_PLAIN):
            for row in ready:
                row[index] = field.get_db_prep_save(row[index], connection)
    return [connection.ops.quote_name(field.column) for field in fields], ready


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    return cast("Field[Any, Any]", model._meta.pk if name == "pk" else model._meta.get_field(name))


def _table(model: type[Model], connection: Any) -> str:
    return str(connection.ops.quote_name(model._meta.db_table))


def _places(count: int) -> str:
    return f"({', '.join(['%s'] * count)})"
