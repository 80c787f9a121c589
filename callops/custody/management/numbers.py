"""A caller's number as an argument of a command."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError


def e164(text: str) -> str:
    """The number; raises argparse's error when it is not E.164."""
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", text):
        raise ArgumentTypeError(f"{text!r} is not an E.164 number such as +15550123")
    return text
