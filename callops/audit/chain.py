"""The chain: an entry is added under a lock with the hash of the one before, and read again link by link."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction

from callops.audit.models import Anchor, Entry, Head
from callops.audit.verbs import BY_CLOCK, FORGET
from callops.core import bulk
from callops.core.text import storable

START: Final = "0" * 64
_HEAD: Final = 1
_COLUMNS: Final = ("number", "at", "who", "verb", "call", "detail", "before", "digest")
AT_ONCE: Final = 10_000
"""Entries forgotten in one transaction: whoever acts meanwhile waits for it."""


@transaction.atomic(savepoint=False)
def record(who: str, verb: str, *, now: datetime, call: str = "", detail: Mapping[str, Any] | None = None) -> Entry:
    """The act or reading is in the audit, together with whatever else its transaction does."""
    number, before = _locked_end()
    entry = Entry(
        number=number + 1,
        at=now,
        who=storable(who)[:150],
        verb=verb,
        call=call,
        detail=storable(dict(detail or {})),
        before=before,
    )
    entry.digest = digest_of(entry)
    bulk.add(Entry, {name: getattr(entry, name) for name in _COLUMNS})
    entry._state.adding = False
    bulk.change(Head, _HEAD, {"number": entry.number, "digest": entry.digest})
    return entry


@transaction.atomic
def forget(before: datetime, *, held: Collection[str], now: datetime) -> int:
    """Entries from before that moment are gone, `AT_ONCE` at most, from the first on and without a gap; how many.

    The first that is about a call on hold stays, and all after it. What was cut off is in the audit, with the hash at
    which the rest begins.
    """
    _locked_end()
    old = Entry.objects.filter(at__lt=before)
    newer = Entry.objects.filter(at__gte=before).order_by("number").values_list("number", flat=True).first()
    kept = old.filter(call__in=held).order_by("number").values_list("number", flat=True).first()
    first = Entry.objects.order_by("number").values_list("number", flat=True).first() or 0
    ends = [number for number in (newer, kept) if number is not None]
    cut = old.filter(number__lt=min([first + AT_ONCE, *ends])).order_by("-number").first()
    if cut is None:
        return 0
    count, _ = Entry.objects.filter(number__lte=cut.number).order_by().delete()
    Anchor.objects.update_or_create(pk=_HEAD, defaults={"number": cut.number, "digest": cut.digest})
    record(BY_CLOCK, FORGET, now=now, detail={"until": cut.number, "digest": cut.digest})
    return count


def _locked_end() -> tuple[int, str]:
    """The number and digest of the last entry, ours until the transaction ends; made by whoever writes the first."""
    found = bulk.locked(Head, ["number", "digest"], [_HEAD], only={})
    if not found:
        Head.objects.get_or_create(pk=_HEAD, defaults={"digest": START})
        found = bulk.locked(Head, ["number", "digest"], [_HEAD], only={})
    number, digest = found[0]
    return number, digest


def _fault_of_cut(anchor: Anchor | None) -> str | None:
    """Whether the audit begins where the last entry that cut it says."""
    cut = Entry.objects.filter(verb=FORGET, who=BY_CLOCK).order_by("-number").first()
    told = (cut.detail.get("until"), cut.detail.get("digest")) if cut else None
    begins = (anchor.number, anchor.digest) if anchor else None
    if told == begins:
        return None
    return "The audit does not begin where it was cut off last: rows at its beginning are missing, or were put there."


def digest_of(entry: Entry) -> str:
    """What the row's digest has to be."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    row = [entry.number, at, entry.who, entry.verb, entry.call, entry.detail]
    text = json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{entry.before}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def first_fault() -> str | None:
    """The first thing that is wrong with the chain, in a sentence; None: nothing was changed, removed or moved."""
    anchor = Anchor.objects.filter(pk=_HEAD).first()
    if fault := _fault_of_cut(anchor):
        return fault
    number, digest = (anchor.number, anchor.digest) if anchor else (0, START)
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
