"""The example payloads of the contracts, read from tests/contracts."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent / "contracts"


def read(name: str) -> Any:
    """The JSON of one example file, such as `twilio/call-get.json`."""
    return json.loads((ROOT / name).read_text("utf-8"))


def raw(name: str) -> bytes:
    """The bytes of one example file."""
    return (ROOT / name).read_bytes()


def files(folder: str) -> list[str]:
    """The names of all JSON examples in a folder, such as `openai/events`."""
    return sorted(f"{folder}/{path.name}" for path in (ROOT / folder).glob("*.json"))
