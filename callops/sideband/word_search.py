"""Calls on which something was said: one condition, in whichever way the database answers it soonest.

PostgreSQL guesses one and the same number of finds for every word, so what it would do is right for some words only;
here it is decided by looking. SQLite knows its own index well enough.
"""

from __future__ import annotations

from typing import ClassVar, Final

from django.db import connection
from django.db.models import BooleanField, Exists, F, Func, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from callops.sideband import full_text
from callops.sideband.models import Turn

FEW: Final = 1_000
"""Turns that are looked up before the calls."""
MANY: Final = 50_000
"""Turns that are looked up with the calls; of more a page is full before long, from the newest call on."""
LATELY, OFTEN = 2_000, 10
"""Of the newest turns so many hold a word of which a page is soon full."""


def on_call(phrase: str, *, speaker: str = "", is_turned: bool = False) -> Q:
    """The condition that this was said on a call; `is_turned`: calls with it are to be left out."""
    turns = full_text.saying([phrase], speaker=speaker).order_by()
    looked_at = full_text.saying([phrase], speaker=speaker, one_by_one=True).order_by()
    is_postgresql = connection.vendor == "postgresql"
    if is_postgresql and _is_often_heard(looked_at):
        return _from_the_newest(looked_at)
    found = list(turns.values_list("call", flat=True)[: FEW + 1])
    if len(found) <= FEW:
        return Q(pk__in=set(found))
    if not is_postgresql:
        return Q(Exists(turns.filter(call=OuterRef("pk"))))
    if turns.values("pk")[: MANY + 1].count() > MANY:
        return _from_the_newest(looked_at)
    calls = turns.values("call").distinct()
    return Q(pk__in=calls) if is_turned else Q(_Among(F("pk"), Subquery(calls)))


class _Among(Func):
    """Whether a value is one of those a query finds, which is asked first and once; then these are looked up.

    To leave them out it is the wrong way: PostgreSQL would go through the whole array for every call.
    """

    output_field: ClassVar = BooleanField()
    conditional = True
    template = "(%(expressions)s))"
    arg_joiner = " = ANY(ARRAY"


def _is_often_heard(turns: QuerySet[Turn]) -> bool:
    newest = Turn.objects.aggregate(pk=Max("pk"))["pk"] or 0
    return len(turns.filter(pk__gt=newest - LATELY).values_list("pk")[:OFTEN]) == OFTEN


def _from_the_newest(turns: QuerySet[Turn]) -> Q:
    """Asked of one call after the other, for as long as a page is not full."""
    return Q(Coalesce(Subquery(turns.filter(call=OuterRef("pk")).values("final")[:1]), Value(value=False)))
