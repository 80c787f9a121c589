"""Texts of others made harmless where they are going: Markdown, plain text, CSV, SVG. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
LONGEST: Final = 2000
LONGEST_CELL: Final = 32_000


def visible(text: str) -> str:
    """One line: breaks are spaces, and what cannot be seen or turns the reading direction is written out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(one) for one in text)


def short(text: str, most: int = LONGEST) -> str:
    """The beginning of a long text, saying how much is left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"


def code(value: Any) -> str:
    """A Markdown code span that nothing inside can close, fit for a table's cell; a dash for nothing."""
    if value is None or value == "":
        return "–"
    text = short(visible(str(value))).replace("|", "¦")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def cell(value: Any) -> str:
    """A CSV cell that no spreadsheet takes for a formula; no longer than a spreadsheet's cell may be."""
    text = "" if value is None else short(str(value).replace("\x00", "\N{REPLACEMENT CHARACTER}"), LONGEST_CELL)
    is_formula = text.lstrip().startswith(_FORMULA) or text.startswith(("\t", "\r"))
    return f"'{text}" if is_formula else text


def xml(text: str) -> str:
    """Text for SVG: markup characters as references, what XML does not know as U+FFFD, directions written out."""
    clean = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", visible(text))
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _shown(one: str) -> str:
    if one in "\r\n\t\v\f\u2028\u2029\x85":
        return " "
    category = unicodedata.category(one)
    if category in ("Cc", "Cf", "Cs") and one not in ("\u200d", "\ufe0f"):
        return f"\\u{ord(one):04x}"
    return one
