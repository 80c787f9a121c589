"""What the stage saw and did, in order and with its time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

KEPT_ENTRIES = 20_000


class Record:
    """A growing list of plain dicts; `at` is ISO 8601 UTC, `t` is seconds since the stage began (monotonic).

    The oldest are forgotten beyond `KEPT_ENTRIES`.
    """

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self._began = time.monotonic()

    def add(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Write one entry and return it, so that an answer can be filled in when it comes."""
        entry: dict[str, Any] = {"kind": kind, "t": self.elapsed(), "at": now_text(), **fields}
        self.entries.append(entry)
        if len(self.entries) > KEPT_ENTRIES:
            del self.entries[: KEPT_ENTRIES // 10]
        return entry

    def elapsed(self) -> float:
        """Seconds since the stage began."""
        return round(time.monotonic() - self._began, 4)


def now_text() -> str:
    """The present as ISO 8601 UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
