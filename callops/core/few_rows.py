"""A row or a few with the least work: a statement's text is made once, and no more columns are read than are needed.

For what is on the way of every call, where the ORM's thinking costs several times what the database does; everything
else goes through the ORM. Columns are named as model fields, as in `bulk`; an instance knows only the fields it was
read with, and asks the database for another one that is touched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, JSONField, Model
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=Model)
Values = tuple[Any, ...]


def values(model: type[Model], names: Sequence[str], **where: Any) -> list[Values]:
    """These fields of the rows in which each field of `where` has its value, or one of those in a tuple."""
    connection = connections[DEFAULT_DB_ALIAS]
    shape = tuple((name, _shape(value)) for name, value in where.items())
    sql = _select(model, tuple(names), shape, connection.vendor)
    given = [each for value in where.values() for each in (value if isinstance(value, tuple) else (value,))]
    with connection.cursor() as cursor:
        cursor.execute(sql, [each for each in given if each is not None])
        found = cursor.fetchall()
    return [_read(model, names, row, connection) for row in found]


def rows(model: type[M], names: Sequence[str], **where: Any) -> list[M]:
    """The same as instances that know these fields."""
    ordered = _in_order(model, tuple(names))
    return [_instance(model, ordered, row) for row in values(model, ordered, **where)]


def locked(model: type[M], pk: Any, names: Sequence[str]) -> M:
    """The row with these fields, locked until the end of the transaction. Raises the model's `DoesNotExist`."""
    connection = connections[DEFAULT_DB_ALIAS]
    if not connection.in_atomic_block:
        raise TransactionManagementError("A row can be locked in a transaction only.")
    ordered = _in_order(model, tuple(names))
    sql = _select(model, ordered, (("pk", 1),), connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql + (" FOR UPDATE" if connection.features.has_select_for_update else ""), [pk])
        row = cursor.fetchone()
    if row is None:
        raise _missing(model)
    return _instance(model, ordered, _read(model, ordered, row, connection))


def insert(row: Model) -> None:
    """The row is there, and knows its key."""
    connection = connections[DEFAULT_DB_ALIAS]
    model, key = type(row), row._meta.pk
    fields = [each for each in row._meta.concrete_fields if each is not key or row.pk is not None]
    names = tuple(each.name for each in fields)
    given = [prepared(each, getattr(row, each.attname), connection) for each in fields]
    with connection.cursor() as cursor:
        cursor.execute(_insert(model, names, connection.vendor), given)
        (row.pk,) = cursor.fetchone()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def insert_new(
    model: type[Model], names: Sequence[str], new: Sequence[Values], *, once: Sequence[str], back: Sequence[str]
) -> list[Values]:
    """The rows are there, but for those whose values in `once` a row had before; `back` of each that is new.

    `once` names the fields of a unique constraint that holds where the last of them is not null.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    fields = [field_of(model, name) for name in names]
    given = [prepared(field, value, connection) for row in new for field, value in zip(fields, row, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_insert_new(model, tuple(names), len(new), tuple(once), tuple(back), connection.vendor), given)
        return list(cursor.fetchall())


def change(model: type[M], pk: Any, new: Mapping[str, Any], names: Sequence[str] = ("pk",)) -> M:
    """The row has these values; it is returned with the fields in `names`. Raises the model's `DoesNotExist`."""
    connection = connections[DEFAULT_DB_ALIAS]
    given = [prepared(field_of(model, name), value, connection) for name, value in new.items()]
    ordered = _in_order(model, tuple(names))
    with connection.cursor() as cursor:
        cursor.execute(_update(model, tuple(new), ordered, connection.vendor), [*given, pk])
        row = cursor.fetchone()
    if row is None:
        raise _missing(model)
    return _instance(model, ordered, _read(model, ordered, row, connection))


def prepared(field: Field[Any, Any], value: Any, connection: Any) -> Any:
    """The value as the database's driver takes it."""
    if isinstance(field, JSONField) and value is not None:
        return json.dumps(value, cls=field.encoder)
    return field.get_db_prep_save(value, connection)


def field_of(model: type[Model], name: str) -> Field[Any, Any]:
    """The field by its name; `pk` is the key."""
    return cast("Field[Any, Any]", model._meta.pk if name == "pk" else model._meta.get_field(name))


def _missing(model: type[Model]) -> Exception:
    return cast(Exception, model.DoesNotExist(f"No such {model._meta.verbose_name}."))  # type: ignore[attr-defined]


def _shape(value: Any) -> int | None:
    """How many places a condition has; None for "is null"."""
    return len(value) if isinstance(value, tuple) else None if value is None else 1


@lru_cache(maxsize=256)
def _in_order(model: type[Model], names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in the order of the model's fields, as an instance is made of them."""
    wanted = {field_of(model, name).name for name in names}
    return tuple(each.name for each in model._meta.concrete_fields if each.name in wanted)


def _instance(model: type[M], ordered: tuple[str, ...], row: Values) -> M:
    return model.from_db(DEFAULT_DB_ALIAS, _attributes(model, ordered), row)


@lru_cache(maxsize=256)
def _attributes(model: type[Model], names: tuple[str, ...]) -> list[str]:
    return [field_of(model, name).attname for name in names]


def _read(model: type[Model], names: Sequence[str], row: Sequence[Any], connection: Any) -> Values:
    """The values as Python has them."""
    read = list(row)
    for place, column in _converted(model, tuple(names), connection.vendor):
        if read[place] is None:
            continue
        for convert in _converters(column, connection):
            read[place] = convert(read[place], column, connection)
    return tuple(read)


@lru_cache(maxsize=256)
def _converted(model: type[Model], names: tuple[str, ...], vendor: str) -> list[tuple[int, Any]]:
    """The places whose values the driver does not give as Python has them."""
    connection = connections[DEFAULT_DB_ALIAS]
    columns = [(place, cast(Any, field_of(model, name)).cached_col) for place, name in enumerate(names)]
    return [(place, column) for place, column in columns if _converters(column, connection)]


def _converters(column: Any, connection: Any) -> list[Any]:
    """Made by the connection at hand: they hold on to it, and each thread has its own."""
    return [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]


@lru_cache(maxsize=256)
def _select(model: type[Model], names: tuple[str, ...], where: tuple[tuple[str, int | None], ...], vendor: str) -> str:
    conditions = (f"{_column(model, name)} {_condition(count)}" for name, count in where)
    return f"SELECT {_columns(model, names)} FROM {_table(model)} WHERE {' AND '.join(conditions)}"


def _condition(count: int | None) -> str:
    if count is None:
        return "IS NULL"
    return "= %s" if count == 1 else f"IN ({', '.join(['%s'] * count)})"


@lru_cache(maxsize=64)
def _insert(model: type[Model], names: tuple[str, ...], vendor: str) -> str:
    places = ", ".join(["%s"] * len(names))
    return f"INSERT INTO {_table(model)} ({_columns(model, names)}) VALUES ({places}) RETURNING {_column(model, 'pk')}"


@lru_cache(maxsize=64)
def _insert_new(
    model: type[Model], names: tuple[str, ...], count: int, once: tuple[str, ...], back: tuple[str, ...], vendor: str
) -> str:
    places = ", ".join([f"({', '.join(['%s'] * len(names))})"] * count)
    twice = f"({_columns(model, once)}) WHERE {_column(model, once[-1])} IS NOT NULL"
    into = f"INSERT INTO {_table(model)} ({_columns(model, names)}) VALUES {places}"
    return f"{into} ON CONFLICT {twice} DO NOTHING RETURNING {_columns(model, back)}"


@lru_cache(maxsize=256)
def _update(model: type[Model], changed: tuple[str, ...], names: tuple[str, ...], vendor: str) -> str:
    new = ", ".join(f"{_column(model, name)} = %s" for name in changed)
    return f"UPDATE {_table(model)} SET {new} WHERE {_column(model, 'pk')} = %s RETURNING {_columns(model, names)}"


def _columns(model: type[Model], names: Sequence[str]) -> str:
    return ", ".join(_column(model, name) for name in names)


def _column(model: type[Model], name: str) -> str:
    return str(connections[DEFAULT_DB_ALIAS].ops.quote_name(field_of(model, name).column or ""))


def _table(model: type[Model]) -> str:
    return str(connections[DEFAULT_DB_ALIAS].ops.quote_name(model._meta.db_table))
