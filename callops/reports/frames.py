"""What came over the AI's sideband, by type and time only: what was said in it stays where it is sealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from callops.calls.models import Call
from callops.privacy.sealing import CannotUnseal
from callops.reports.plain import short
from callops.reports.record import Pulse
from callops.sideband.models import AiSession, FrameBatch
from callops.sideband.packing import unpacked

LONGEST_TYPE: Final = 100
CALLERS: Final = "input_audio_buffer."
"""Types that begin so are about the caller."""


@dataclass(frozen=True, slots=True)
class Run:
    """Events of one type that came one after another, nothing of another type between them."""

    type: str
    at: datetime
    until: datetime
    count: int


def pulse(call: Call, start: datetime, end: datetime) -> list[Pulse]:
    """Every second from `start` until before `end` in which something came, by our receive times."""
    seconds: dict[int, Counter[str]] = {}
    for at_ms, kind in typed(call, start, end):
        seconds.setdefault(at_ms // 1000, Counter())[kind] += 1
    return [Pulse(datetime.fromtimestamp(at, UTC), dict(sorted(seconds[at].items()))) for at in sorted(seconds)]


def runs(events: Iterable[tuple[int, str]], *, most: int) -> tuple[list[Run], bool]:
    """The events folded into runs, and whether these are all of them: no more than `most` events are read."""
    folded: list[Run] = []
    for number, (at_ms, kind) in enumerate(events):
        if number == most:
            return folded, False
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        if folded and folded[-1].type == kind:
            folded[-1] = Run(kind, folded[-1].at, at, folded[-1].count + 1)
        else:
            folded.append(Run(kind, at, at, 1))
    return folded, True


def typed(call: Call, start: datetime, end: datetime) -> Iterator[tuple[int, str]]:
    """Time (unix ms) and type of every event in this stretch, session after session; one batch in memory at a time."""
    first, last = start.timestamp() * 1000, end.timestamp() * 1000
    for session in AiSession.objects.filter(call=call).order_by("pk"):
        batches = FrameBatch.objects.filter(session=session, received_at__gte=start).order_by("first")
        for batch in batches.iterator(chunk_size=50):
            frames = _frames(batch)
            if frames and frames[0][0] >= last:
                break
            yield from ((at_ms, _type_of(raw)) for at_ms, raw in frames if first <= at_ms < last)


def _frames(batch: FrameBatch) -> list[tuple[int, bytes]]:
    """The frames of a batch; none when they were sealed with a key that is gone."""
    try:
        return list(unpacked(bytes(batch.packed)))
    except CannotUnseal:
        return []


def _type_of(raw: bytes) -> str:
    try:
        return short(_typed.decode(raw).type, LONGEST_TYPE)
    except msgspec.MsgspecError:
        return "not JSON"


class _Typed(msgspec.Struct):
    type: str = "without a type"


_typed = msgspec.json.Decoder(_Typed)
