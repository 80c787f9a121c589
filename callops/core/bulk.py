"""Many rows at once, with the least work for each: COPY and rows as one JSON text on PostgreSQL, few statements on
SQLite. The drivers give up the interpreter for every statement and have to get it back from an event loop that is busy,
while rows or the whole file are locked; and PostgreSQL's looks at every single value of a statement in Python.

For rows that come in hundreds a second and are known to fit; everything else goes through the ORM. Columns are named
as model fields, a foreign key's value is the other row's key, a choice is its plain text, and every column without a
default of the database's own has to be named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any, TypeVar, cast

import msgspec
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import BinaryField, DateTimeField, Field, JSONField, Model

M = TypeVar("M", bound=Model)
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
        _in_few(connection, f"INSERT INTO {into} VALUES ", prepared)
    elif prepared:
        _copy(connection, f"COPY {into} FROM STDIN", prepared)


def add(model: type[Model], values: Mapping[str, Any]) -> None:
    """One row with these values is there."""
    connection = _connection()
    columns = _columns(model, list(values), connection)
    (row,) = _prepared(model, list(values), [_plain(values)], connection)
    sql = f"INSERT INTO {_table(model, connection)} ({', '.join(columns)}) VALUES {_places(len(row))}"
    with connection.cursor() as cursor:
        cursor.execute(sql, row)


def change(model: type[Model], pk: Any, values: Mapping[str, Any]) -> None:
    """The row with this key has these values."""
    connection = _connection()
    key, *columns = _columns(model, ["pk", *values], connection)
    (row,) = _prepared(model, list(values), [_plain(values)], connection)
    new = ", ".join(f"{column} = %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {_table(model, connection)} SET {new} WHERE {key} = %s", [*row, pk])


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
        _as_json(connection, f"{head}SELECT * FROM {rows_of}{tail}", latest)
    else:
        _in_few(connection, f"{head}VALUES ", _prepared(model, names, latest, connection), tail)


def update(model: type[Model], names: Sequence[str], rows: Iterable[Values]) -> None:
    """Each row is (key of a row, new values in the order of `names`); the rows have these values."""
    connection = _connection()
    names = ["pk", *names]
    table, columns = _table(model, connection), _columns(model, names, connection)
    new = ", ".join(f"{column} = new.column{number}" for number, column in enumerate(columns[1:], start=2))
    head, tail = f"UPDATE {table} SET {new} FROM ", f" WHERE {table}.{columns[0]} = new.column1"
    if connection.vendor == "postgresql":
        _as_json(connection, f"{head}{_recordset(model, names, connection)}{tail}", list(rows))
    else:
        _in_few(connection, f"{head}(VALUES ", _prepared(model, names, rows, connection), f") AS new{tail}")


def locked(model: type[Model], names: Sequence[str], keys: Sequence[Any], *, only: Mapping[str, Any]) -> list[Values]:
    """The values of the rows with these keys that are as `only` says: locked in the order of their keys until the end
    of the transaction.
    """
    connection = _connection()
    pk, *rest = _columns(model, ["pk", *only], connection)
    columns = ", ".join(_columns(model, names, connection))
    conditions = "".join(f" AND {column} = %s" for column in rest)
    is_shared = connection.vendor == "postgresql"
    among = f"{pk} = ANY(%s)" if is_shared else f"{pk} IN (SELECT value FROM json_each(%s))"
    head = f"SELECT {columns} FROM {_table(model, connection)} WHERE {among}{conditions} ORDER BY {pk}"
    asked = list(keys) if is_shared else msgspec.json.encode(list(keys)).decode()
    with connection.cursor() as cursor:
        cursor.execute(head + (" FOR UPDATE" if is_shared else ""), [asked, *only.values()])
        return list(cursor.fetchall())


def raise_all(model: type[Model], name: str, by: Mapping[str, int]) -> dict[str, int]:
    """The number in this column of the row with each key is so much larger, and the row is locked; the new numbers.

    Rows are locked in the order of their keys, as by whoever else locks several. Keys of no row are left out.
    """
    connection = _connection()
    table, (pk, column) = _table(model, connection), _columns(model, ["pk", name], connection)
    wanted = "json_each(%s) AS wanted WHERE "
    if connection.vendor == "postgresql":
        rows = f"{table} JOIN json_each_text(%s::json) AS said ON {table}.{pk} = said.key"
        locked_rows = f"SELECT said.key, said.value::int FROM {rows} ORDER BY said.key FOR UPDATE OF {table}"
        wanted = f"({locked_rows}) AS wanted WHERE "
    sql = (
        f"UPDATE {table} SET {column} = {column} + wanted.value FROM {wanted}{table}.{pk} = wanted.key "
        f"RETURNING {table}.{pk}, {table}.{column}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [msgspec.json.encode(by).decode()])
        return dict(cursor.fetchall())


def after(model: type[M], of: str, name: str, cursors: Mapping[str, int], *, count_as: str = "") -> list[M]:
    """The rows of each of these owners (`of` names the foreign key) whose number in this column is above its cursor.

    `count_as`: each row has, under this name, how many rows its owner has at the same moment.
    """
    connection = _connection()
    table, (owner, column) = _table(model, connection), _columns(model, [of, name], connection)
    count = f", (SELECT COUNT(*) FROM {table} AS one WHERE one.{owner} = said.key) AS rows" if count_as else ""
    what = f"found.*{f', wanted.rows AS {count_as}' if count_as else ''}"
    where = f"found.{owner} = wanted.key AND found.{column} > wanted.value"
    read, found = f"SELECT said.key, said.value{count} FROM json_each(%s) AS said", f"{table} AS found WHERE {where}"
    if connection.vendor == "postgresql":  # owner by owner: else it reads all there is as soon as it thinks that little
        read = f"SELECT said.key, said.value::int AS value{count} FROM json_each_text(%s::json) AS said"
        found = f"LATERAL (SELECT * FROM {table} AS found WHERE {where} OFFSET 0) AS found"
    sql = f"WITH wanted AS MATERIALIZED ({read}) SELECT {what} FROM wanted, {found}"
    return list(model._default_manager.raw(sql, [msgspec.json.encode(cursors).decode()]))


def of(model: type[M], name: str, owner: Any) -> list[M]:
    """The rows of this owner (`name` is the foreign key), in any order."""
    connection = _connection()
    (column,) = _columns(model, [name], connection)
    return list(model._default_manager.raw(f"SELECT * FROM {_table(model, connection)} WHERE {column} = %s", [owner]))


def raise_by(model: type[Model], pk: Any, name: str, by: int) -> int | None:
    """The number in this column is so much larger and the row is locked; its new value, None: there is no such row."""
    connection = _connection()
    column, key = (connection.ops.quote_name(_field(model, each).column) for each in (name, "pk"))
    table = _table(model, connection)
    sql = f"UPDATE {table} SET {column} = {column} + %s WHERE {key} = %s RETURNING {column}"
    with connection.cursor() as cursor:
        cursor.execute(sql, [by, pk])
        found = cursor.fetchall()
    return int(found[0][0]) if found else None


def _plain(values: Mapping[str, Any]) -> list[Any]:
    """The values without names: of a choice its text."""
    return [value.value if isinstance(value, Enum) else value for value in values.values()]


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
            prepare = _once_each(field, connection)
            for row in ready:
                row[index] = prepare(row[index])
    return ready


def _once_each(field: Field[Any, Any], connection: Any) -> Callable[[Any], Any]:
    """The field's values as the driver takes them; the same moment stands in many rows and is prepared once."""
    if isinstance(field, JSONField):
        return lambda value: None if value is None else msgspec.json.encode(value).decode()
    if not isinstance(field, DateTimeField):
        return partial(field.get_db_prep_save, connection=connection)
    known: dict[Any, Any] = {}

    def prepared(value: Any) -> Any:
        if value not in known:
            known[value] = field.get_db_prep_save(value, connection)
        return known[value]

    return prepared


def _columns(model: type[Model], names: Sequence[str], connection: Any) -> list[str]:
    return [connection.ops.quote_name(_field(model, name).column) for name in names]


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    return cast("Field[Any, Any]", model._meta.pk if name == "pk" else model._meta.get_field(name))


def _table(model: type[Model], connection: Any) -> str:
    return str(connection.ops.quote_name(model._meta.db_table))


def _places(count: int) -> str:
    return f"({', '.join(['%s'] * count)})"
