"""How much is tried where chance makes the examples: little in `make test`, much in `make fuzz`."""

from __future__ import annotations

import os

EXAMPLES = int(os.environ.get("CALLOPS_FUZZ", "100"))
"""Examples of each test by hypothesis."""
IS_LONG = EXAMPLES > 100
