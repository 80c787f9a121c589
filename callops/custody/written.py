"""What people wrote, without an erased caller's number: notes, titles and causes of incidents, kept views, reasons.

A model says in `TYPED` which of its fields hold what people typed, and in `TYPED_ADDRESSES` which hold the query of an
address of ours. So they are found here, in whatever room they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.apps import apps
from django.db import IntegrityError, models, transaction

from callops.custody.scrubbing import scrub_written


def erase(number: str, *, really: bool) -> Counter[str]:
    """This E.164 number stands in nothing that people wrote; how many texts of each kind held it.

    With `really=False` nothing changes.
    """
    found: Counter[str] = Counter()
    for model in apps.get_models():
        for pk, changes in _changes(model, number):
            found.update(f"{model._meta.verbose_name}: {name.replace('_', ' ')}" for name in changes)
            if really:
                _change(model, pk, changes)
    return found


def _changes(model: Any, number: str) -> list[tuple[Any, dict[str, str]]]:
    """The rows that hold the number, each with what its fields become."""
    cleaners: Mapping[str, Callable[[str, str], str]] = {
        **dict.fromkeys(getattr(model, "TYPED", ()), scrub_written),
        **dict.fromkeys(getattr(model, "TYPED_ADDRESSES", ()), _scrub_address),
    }
    if not cleaners:
        return []
    found = []
    for pk, *texts in model.objects.order_by("pk").values_list("pk", *cleaners).iterator(chunk_size=500):
        new = {name: clean(text, number) for (name, clean), text in zip(cleaners.items(), texts, strict=True)}
        if changed := {name: new[name] for name, text in zip(cleaners, texts, strict=True) if new[name] != text}:
            found.append((pk, changed))
    return found


def _change(model: Any, pk: Any, changes: Mapping[str, str]) -> None:
    """The row has these texts; where no two may be alike, its id is added to what makes it one of two."""
    row = model.objects.filter(pk=pk)
    try:
        with transaction.atomic():
            row.update(**changes)
    except IntegrityError:
        row.update(**{name: _apart(model._meta.get_field(name), text, pk) for name, text in changes.items()})


def _apart(field: models.Field[Any, Any], text: str, pk: Any) -> str:
    mark = f" ({pk})"
    return text[: field.max_length - len(mark)] + mark if field.max_length else text + mark


def _scrub_address(query: str, number: str) -> str:
    """The query of an address without the number; one that does not hold it stays as it was written."""
    told = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
    clean = [(name, scrub_written(value, number)) for name, value in told]
    return query if clean == told else "?" + urlencode(clean)
