"""Which live calls a board shows: what stands in its address. Calls that need somebody are always shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from callops.calls.models import Call
from callops.calls.words import State

STAGES: Final = tuple(state for state in State if state != State.ENDED)
MAX_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Sift:
    """A line by its key, a state, a part of the caller's number or of an id; empty: all."""

    line: int | None = None
    stage: str = ""
    part: str = ""

    def lets(self, call: Call) -> bool:
        """Whether the call is shown."""
        if self.line is not None and call.line_id != self.line:
            return False
        if self.stage and call.state != self.stage:
            return False
        return not self.part or any(self.part in each for each in _known_by(call))

    @property
    def address(self) -> str:
        """The same as the query of an address; empty when all are shown."""
        told = {"line": self.line, "stage": self.stage, "q": self.part}
        return urlencode({name: value for name, value in told.items() if value})


ALL: Final = Sift()


def sift_of(query: Mapping[str, str], *, numbers: bool) -> Sift:
    """What an address asks for; what it asks for in vain is not asked.

    Without `numbers` nobody finds a call by a piece of one, which would be reading it.
    """
    line, stage, part = query.get("line", ""), query.get("stage", ""), query.get("q", "")[:MAX_CHARS].strip()
    digits = part.replace(" ", "").lstrip("+")
    if digits.isascii() and digits.isdecimal():
        part = digits if numbers else ""
    return Sift(
        line=(int(line) or None) if line.isascii() and line.isdecimal() and len(line) < 10 else None,
        stage=stage if stage in STAGES else "",
        part=part,
    )


def _known_by(call: Call) -> tuple[str, ...]:
    return (call.from_number, call.pk, call.carrier_sid or "", call.ai_call_id or "")
