"""Who whispered what stands in a transcript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from callops.sideband.models import Turn
from callops.sideband.wire import WHISPER
from callops.supervision.models import Intervention

T = TypeVar("T", bound=Turn)


def named(turns: Sequence[T]) -> list[T]:
    """The same turns; those that are whispers carry the name of who whispered. One query, or none."""
    whispers = [turn for turn in turns if turn.detail.get("whisper")]
    if whispers:
        acts = {turn.item_id.removeprefix(WHISPER) for turn in whispers}
        names = dict(Intervention.objects.filter(pk__in=acts).values_list("pk", "by"))
        for turn in whispers:
            turn.detail["by"] = names.get(turn.item_id.removeprefix(WHISPER), "")
    return list(turns)
