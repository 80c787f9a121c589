"""What a person hears before they take a screened call. Pure: what is known of the caller in, a few words out."""

from __future__ import annotations

import re

MAX_SPOKEN = 240
PRESS = "Press 1 to take the call."
NOTHING_KNOWN = "A caller asked for a person."
_MARKUP = re.compile(r"<[^<>]*>|[<>{}*_`#|\\]+")


def question(*, summary: str = "", reason: str = "") -> str:
    """The screening question: how to take the call, and what it is about, as plain words of a bounded length.

    `summary` is a sentence or two, the assistant's or the model's; `reason` is what the caller wants, in a few words.
    """
    if about := spoken(summary):
        return f"{PRESS} What the caller asked about: {about}"
    if about := spoken(reason):
        return f"{PRESS} The caller asked about {about}"
    return f"{PRESS} {NOTHING_KNOWN}"


def spoken(text: str) -> str:
    """The text as it can be read out: one line, no markup, cut at a word, and ended like a sentence."""
    plain = " ".join(_MARKUP.sub(" ", text).split())
    if len(plain) > MAX_SPOKEN:
        plain = plain[:MAX_SPOKEN].rpartition(" ")[0] or plain[:MAX_SPOKEN]
    plain = plain.rstrip(" ,;:.-")
    return plain and (plain if plain[-1] in "?!" else f"{plain}.")
