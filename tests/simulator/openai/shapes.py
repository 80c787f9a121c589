"""The shapes of the contract's example events: which keys stand where."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

Shape = frozenset[str]


def shape(value: Any, path: str = "") -> Shape:
    """All key paths of a JSON value with the types at their ends."""
    if isinstance(value, dict):
        return frozenset({path}).union(*(shape(entry, f"{path}.{key}") for key, entry in value.items()))
    if isinstance(value, list):
        return frozenset({path}).union(*(shape(entry, f"{path}[]") for entry in value))
    return frozenset({path})


def known_shapes(contracts: Path) -> dict[str, set[Shape]]:
    """For each event type, the shapes of all its examples in the contract."""
    folder = contracts / "openai"
    events = [json.loads(path.read_text()) for path in folder.glob("event*/*.json")]
    for recording in ("sideband-call.jsonl", "sideband-call-transferred.jsonl"):
        events += [json.loads(line)["event"] for line in (folder / recording).read_text().splitlines()]
    shapes: dict[str, set[Shape]] = defaultdict(set)
    for event in events:
        shapes[event["type"]].add(shape(event))
    return shapes
