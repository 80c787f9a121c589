"""Identifiers that go into a URL path: call ids and SIDs, whatever the carrier's pattern for them is."""

import re

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_identifier(value: object) -> bool:
    """Whether the value is safe as one path segment: 1 to 64 letters, digits, `_` or `-` (contract OpenAI 1.1)."""
    return isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None


def checked(value: str, name: str) -> str:
    """The identifier itself; raises `ValueError` naming it when it could change the meaning of a URL."""
    if not is_identifier(value):
        raise ValueError(f"{name} is not an identifier: {value!r:.80}")
    return value
