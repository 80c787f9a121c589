"""Calls by what people remember of them: a part of a number, or an id."""

from __future__ import annotations

import re
from typing import Final

from django.db.models import Q

from callops.calls.models import Call, CallQuerySet, Leg, MergedCall
from callops.core.text import storable

_NUMBER = re.compile(r"[0-9\s+()./-]*[0-9][0-9\s+()./-]*", re.ASCII)
SHORTEST_ID: Final = 4


def digits_of(text: str) -> str:
    """The digits of what is written like a number, in whatever way; empty when it is none."""
    return re.sub(r"[^0-9]", "", text) if _NUMBER.fullmatch(text) else ""


def ids_of(text: str) -> list[str]:
    """The ids of calls of which `text` is an id, whole, at any side. One query, one look into an index for each kind.

    A transfer's id finds the call it moved, the id of a half that was joined finds the call it became part of.
    """
    if len(text) < SHORTEST_ID or " " in text:
        return []
    own = (
        Call.objects.filter(**{name: text}).values_list("pk") for name in ("carrier_sid", "ai_leg_sid", "ai_call_id")
    )
    found = (
        Call.objects.order_by()
        .filter(pk=text)
        .values_list("pk")
        .union(
            *(rows.order_by() for rows in own),
            Leg.objects.order_by().filter(sid=text).values_list("call_id"),
            MergedCall.objects.filter(former_id=text).values_list("call_id"),
            Call.objects.order_by().filter(transfers__pk=text).values_list("pk"),
        )
    )
    return [pk for (pk,) in found]


def with_digits(digits: str) -> Q:
    """The condition that one of a call's numbers holds these digits."""
    return Q(from_number__contains=digits) | Q(to_number__contains=digits)


def matching(calls: CallQuerySet, text: str, *, numbers: bool = True) -> CallQuerySet:
    """Calls of which `text` is an id, else those of which a number holds its digits. Without `numbers`: ids only."""
    text = storable(text).strip()
    if ids := ids_of(text):
        return calls.filter(pk__in=ids)
    digits = digits_of(text) if numbers else ""
    return calls.filter(with_digits(digits)) if digits else calls.none()
