"""Everything that is kept of one caller, for the caller: plain JSON, as it lies in the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.core import serializers
from django.db.models import QuerySet

from callops.calls.models import Call, CallBack, Event, Leg
from callops.sideband import journal
from callops.sideband.models import AiSession, Turn
from callops.supervision.models import Intervention
from callops.transfers.models import TransferAttempt

SECRET_FIELDS = ("token", "key")
"""They open doors of ours and say nothing of the caller."""


def extract(number: str) -> Iterator[str]:
    """JSON Lines, one for each thing that is kept of calls from this E.164 number; one call in memory at a time."""
    for call in Call.objects.filter(from_number=number).order_by("pk").iterator():
        yield from _rows("call", Call.objects.filter(pk=call.pk))
        yield from _rows("leg", Leg.objects.filter(call=call))
        yield from _rows("fact", Event.objects.filter(call=call).order_by("seq"))
        yield from _rows("line of transcript", Turn.objects.filter(call=call).order_by("position"))
        yield from _rows("transfer", TransferAttempt.objects.filter(call=call))
        yield from _rows("intervention", Intervention.objects.filter(call=call))
        for session in AiSession.objects.filter(call=call):
            for at_ms, raw in journal.replay(session.pk):
                yield json.dumps({"what": "frame", "call": call.pk, "at_ms": at_ms, "frame": json.loads(raw)})
    yield from _rows("call back", CallBack.objects.filter(number=number))


def _rows(what: str, rows: QuerySet[Any]) -> Iterator[str]:
    for row in serializers.serialize("python", rows.iterator(chunk_size=500)):
        fields = {name: value for name, value in row["fields"].items() if name not in SECRET_FIELDS}
        yield json.dumps({"what": what, "id": row["pk"], **fields}, default=str)
