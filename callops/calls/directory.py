"""Lines and destinations brought in step with a directory file (interface.md section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import transaction

from callops.calls.directory_file import DirectoryError, read_directory
from callops.calls.models import Destination, Line

__all__ = ["DirectoryError", "load"]

_TOO_LONG_TO_SHOW = ("instructions", "greeting")


@transaction.atomic
def load(path: Path) -> list[str]:
    """The lines and destinations of the file are in the database; returns a sentence for each row that changed.

    Rows the file does not name stay as they are. Raises `DirectoryError`, naming the lines of the file, when anything
    is wrong; then nothing has changed. Raises `OSError` when the file cannot be read.
    """
    rows = {row.name: row for row in Destination.objects.select_related("next")}
    wish = read_directory(path.read_bytes(), {name: _name(row.next) for name, row in rows.items()})
    before = {name: _destination_values(row) for name, row in rows.items()}
    for values in wish.destinations:
        _store_destination(rows, values)
    for values in wish.destinations:
        _link(rows, values)
    said = [_said("destination", values["name"], before.get(values["name"]), values) for values in wish.destinations]
    said += [_store_line(rows, values) for values in wish.lines]
    return [sentence for sentence in said if sentence]


def _name(destination: Destination | None) -> str | None:
    return destination.name if destination else None


def _destination_values(row: Destination) -> dict[str, Any]:
    return {"name": row.name, "label": row.label, "uri": row.uri, "next": _name(row.next), "screen": row.screen}


def _store_destination(rows: dict[str, Destination], values: Mapping[str, Any]) -> None:
    row = rows.setdefault(values["name"], Destination(name=values["name"]))
    own = {key: values[key] for key in ("label", "uri", "screen")}
    if row.pk is None or own != {key: getattr(row, key) for key in own}:
        row.label, row.uri, row.screen = own["label"], own["uri"], own["screen"]
        row.save()


def _link(rows: Mapping[str, Destination], values: Mapping[str, Any]) -> None:
    row = rows[values["name"]]
    if _name(row.next) != values["next"]:
        row.next = rows[values["next"]] if values["next"] else None
        row.save(update_fields=["next"])


def _store_line(rows: Mapping[str, Destination], values: Mapping[str, Any]) -> str | None:
    row = Line.objects.select_related("fallback").filter(number=values["number"]).first()
    before = {key: getattr(row, key) for key in values} | {"fallback": _name(row.fallback)} if row else None
    if before != values:
        fallback = rows[values["fallback"]] if values["fallback"] else None
        Line.objects.update_or_create(number=values["number"], defaults={**values, "fallback": fallback})
    return _said("line", values["number"], before, values)


def _said(what: str, name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str | None:
    """What happened to one row, in a sentence; None when nothing did."""
    if before is None:
        detail = after["uri"] if what == "destination" else after["name"]
        return f"Added {what} {name} ({detail})."
    changed = [key for key in after if before[key] != after[key]]
    if not changed:
        return None
    return f"Changed {what} {name}: {', '.join(_step(key, before[key], after[key]) for key in changed)}."


def _step(key: str, before: Any, after: Any) -> str:
    if key in _TOO_LONG_TO_SHOW:
        return f"{key} rewritten"
    return f"{key} from {_word(before)} to {_word(after)}"


def _word(value: Any) -> str:
    """The value as the file writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None else str(value)
