"""Calls by what people remember of them: a part of a number, or an id."""

from __future__ import annotations

import re

from django.db.models import Q

from callops.calls.models import CallQuerySet, Leg
from callops.core.text import storable

_NUMBER = re.compile(r"[0-9\s+()./-]*[0-9][0-9\s+()./-]*", re.ASCII)


def matching(calls: CallQuerySet, text: str, *, numbers: bool = True) -> CallQuerySet:
    """Calls of which a number holds the digits of `text`, or of which `text` is an id, whole, at any side.

    Without `numbers` only ids are looked at.
    """
    text = storable(text).strip()
    found = Q(pk=text) | Q(carrier_sid=text) | Q(ai_leg_sid=text) | Q(ai_call_id=text)
    found |= Q(pk__in=Leg.objects.filter(sid=text).values("call_id"))
    if numbers and _NUMBER.fullmatch(text):
        digits = re.sub(r"[^0-9]", "", text)
        found |= Q(from_number__contains=digits) | Q(to_number__contains=digits)
    return calls.filter(found)
