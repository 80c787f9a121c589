"""What a test needs and this machine may lack: skipped with advice, or failed where a full run is asked for."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

REQUIRE_ALL = "CALLOPS_REQUIRE_ALL"


def need(condition: object, advice: str) -> None:
    """Go on if `condition` holds; else skip, or fail when `CALLOPS_REQUIRE_ALL=1`. `advice` says what to install."""
    if not condition:
        _lacking(advice)


def _lacking(advice: str) -> NoReturn:
    if os.environ.get(REQUIRE_ALL) == "1":
        pytest.fail(f"{advice} ({REQUIRE_ALL}=1 lets nothing be skipped)", pytrace=False)
    pytest.skip(advice)
