"""Calls by what people remember of them: a part of a number, or an id."""

from __future__ import annotations

import re

from django.db.models import Q

from callops.calls.models import Call, CallQuerySet, Leg, MergedCall
from callops.core.text import storable

_NUMBER = re.compile(r"[0-9\s+()./-]*[0-9][0-9\s+()./-]*", re.ASCII)


def digits_of(text: str) -> str:
    """The digits of what is written like a number, in whatever way; empty when it is none."""
    return re.sub(r"[^0-9]", "", text) if _NUMBER.fullmatch(text) else ""


def matching(calls: CallQuerySet, text: str, *, numbers: bool = True) -> CallQuerySet:
    """Calls of which a number holds the digits of `text`, or of which `text` is an id, whole, at any side.

    A transfer's id finds the call it moved, the id of a half that was joined finds the call it became part of.
    Without `numbers` only ids are looked at.
    """
    text = storable(text).strip()
    found = Q(pk=text) | Q(carrier_sid=text) | Q(ai_leg_sid=text) | Q(ai_call_id=text)
    found |= Q(pk__in=Leg.objects.filter(sid=text).values("call_id"))
    found |= Q(pk__in=MergedCall.objects.filter(former_id=text).values("call_id"))
    found |= Q(pk__in=Call.objects.filter(transfers__pk=text).values("pk"))
    if numbers and (digits := digits_of(text)):
        found |= Q(from_number__contains=digits) | Q(to_number__contains=digits)
    return calls.filter(found)
