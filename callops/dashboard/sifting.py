"""Which live calls a board shows: what stands in its address. Calls that need somebody are always shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from callops.calls.models import Call
from callops.calls.search import digits_of
from callops.calls.words import State

STAGES: Final = tuple(state for state in State if state != State.ENDED)
MAX_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Sift:
    """A line by its key, a state, a part of the caller's number or of an id; empty: all."""

    line: int | None = None
    stage: str = ""
    part: str = ""
    numbers: bool = True
    """Whether the part may be one of the caller's number: who may not read numbers finds no call by one."""

    def lets(self, call: Call) -> bool:
        """Whether the call is shown."""
        if self.line is not None and call.line_id != self.line:
            return False
        if self.stage and call.state != self.stage:
            return False
        return not self.part or any(self.part in each for each in self._known_by(call))

    def _known_by(self, call: Call) -> tuple[str, ...]:
        ids = (call.pk, call.carrier_sid or "", call.ai_call_id or "")
        return (call.from_number, *ids) if self.numbers else ids

    @property
    def address(self) -> str:
        """The same as the query of an address; empty when all are shown."""
        told = {"line": self.line, "stage": self.stage, "q": self.part}
        return urlencode({name: value for name, value in told.items() if value})


ALL: Final = Sift()


def sift_of(query: Mapping[str, str], *, numbers: bool) -> Sift:
    """What an address asks for; what it asks for in vain is not asked. A number may be written in any way."""
    line, stage, part = query.get("line", ""), query.get("stage", ""), query.get("q", "")[:MAX_CHARS].strip()
    if numbers and (digits := digits_of(part)):
        part = digits
    return Sift(
        line=(int(line) or None) if line.isascii() and line.isdecimal() and len(line) < 10 else None,
        stage=stage if stage in STAGES else "",
        part=part,
        numbers=numbers,
    )
