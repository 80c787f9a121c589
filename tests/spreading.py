"""Which worker plays what: the flows of a backend share one world, so one worker plays them all."""

from __future__ import annotations

import re
from typing import Any

from xdist.scheduler import LoadScopeScheduling

FLOW = re.compile(r"^tests/flows/.*\[(?:.*-)?(sqlite|postgres)(?:-.*)?\]$")


class OneWorldEach(LoadScopeScheduling):
    """The flows of each backend go to one worker, the longest first; every other test goes wherever there is room."""

    def _split_scope(self, nodeid: str) -> str:
        return world_of(nodeid) or nodeid


def world_of(nodeid: str) -> str | None:
    """The backend whose world the test plays in; None for a test that needs none."""
    found = FLOW.match(nodeid)
    return found[1] if found else None


def scheduler(config: Any, log: Any) -> OneWorldEach:
    """What pytest-xdist spreads the tests with."""
    return OneWorldEach(config, log)
