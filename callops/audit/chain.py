"""The chain: an entry is added under a lock with the hash of the one before, and read again link by link."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction

from callops.audit.models import Entry, Head
from callops.core.text import storable

START: Final = "0" * 64
_HEAD: Final = 1


@transaction.atomic
def record(who: str, verb: str, *, now: datetime, call: str = "", detail: Mapping[str, Any] | None = None) -> Entry:
    """The act or reading is in the audit, together with whatever else its transaction does."""
    head = _locked_head()
    entry = Entry(
        number=head.number + 1,
        at=now,
        who=storable(who)[:150],
        verb=verb,
        call=call,
        detail=storable(dict(detail or {})),
        before=head.digest,
    )
    entry.digest = digest_of(entry)
    entry.save()
    Head.objects.filter(pk=_HEAD).update(number=entry.number, digest=entry.digest)
    return entry


def _locked_head() -> Head:
    """The end of the chain, ours until the transaction ends; made by whoever writes the first entry."""
    heads = Head.objects.select_for_update().filter(pk=_HEAD)
    found = heads.first()
    if found is None:
        Head.objects.get_or_create(pk=_HEAD, defaults={"digest": START})
        found = heads.get()
    return found


def digest_of(entry: Entry) -> str:
    """What the row's digest has to be."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    row = [entry.number, at, entry.who, entry.verb, entry.call, entry.detail]
    text = json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{entry.before}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def first_fault() -> str | None:
    """The first thing that is wrong with the chain, in a sentence; None: nothing was changed, removed or moved."""
    number, digest = 0, START
    for entry in Entry.objects.order_by("number").iterator(chunk_size=1000):
        if entry.number != number + 1:
            return f"Entry {number + 1} is missing: after {number} comes {entry.number}."
        if entry.before != digest:
            return f"Entry {entry.number} does not follow entry {number}: a row was changed, removed or moved."
        if entry.digest != digest_of(entry):
            return f"Entry {entry.number} was changed."
        number, digest = entry.number, entry.digest
    head = Head.objects.filter(pk=_HEAD).first()
    if head is not None and (head.number, head.digest) != (number, digest):
        return f"The audit should end with entry {head.number} and ends with {number}: rows at its end are missing."
    return None
