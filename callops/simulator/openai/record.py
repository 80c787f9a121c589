"""Everything the stage received and sent, in order."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

MOST = 40_000
"""A stage that runs for days forgets its oldest entries beyond this many."""


class Record:
    """A list of plain dicts; `at` is ISO 8601 UTC, `t` is seconds since the stage began (monotonic)."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self._began = time.monotonic()

    def add(self, kind: str, **fields: Any) -> None:
        """Write one entry."""
        if len(self.entries) >= MOST:
            del self.entries[: MOST // 4]
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.entries.append({"kind": kind, "t": round(time.monotonic() - self._began, 4), "at": at, **fields})
