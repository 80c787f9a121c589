"""What the assistant promised and nobody did, with the destination it meant: for the button that does it."""

from __future__ import annotations

from dataclasses import dataclass

from callops.calls.models import Call, Destination
from callops.dashboard.phrases import is_broken
from callops.sideband.glance import Standing
from callops.sideband.models import Turn
from callops.sideband.promises import named_in, promise_in
from callops.transfers.models import TransferAttempt


@dataclass(frozen=True, slots=True)
class Promised:
    """The sentence, and where it would lead: the destination it names, else the line's fallback, else nowhere."""

    sentence: str
    destination: Destination | None


def promised(call: Call, standing: Standing, attempt: TransferAttempt | None) -> Promised | None:
    """The promise that was not kept; None when there is none. Two queries, or none."""
    if not is_broken(standing, attempt):
        return None
    turn = Turn.objects.filter(call=call, item_id=standing.promised_item).first()
    text = turn.text if turn else ""
    sentence = promise_in(text) or text
    known = {each.name: each for each in Destination.objects.all()}
    name = named_in(sentence, [(each.name, each.label) for each in known.values()])
    fallback_id = call.line.fallback_id if call.line else None
    fallback = next((each for each in known.values() if each.pk == fallback_id), None)
    return Promised(sentence, known[name] if name else fallback)
