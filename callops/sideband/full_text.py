"""Turns by their words: PostgreSQL's full text or SQLite's FTS5, and nobody else knows which.

Both index the rows themselves, so what retention, redaction or an erasure takes from a turn cannot be found any more.
Only finished turns are found. Case does not matter, accents do; a word is what stands between spaces and punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from django.db import connection
from django.db.models import BooleanField, F, Func, QuerySet, Value
from django.db.models.expressions import RawSQL

from callops.sideband.models import Turn

LONGEST: Final = 100_000
"""So many characters of a turn are indexed on PostgreSQL, whose index rows have an end."""
_PARTED: Final = "@./-_:+&=?#%~"
"""PostgreSQL would take an address or a number with a point for one word."""
_WORD: Final = re.compile(r"[^\W_]+")
_WHOLE: Final = re.compile(r"(?<!\S)(?:[A-Za-z][A-Za-z0-9]*|[0-9]+)(?!\S)|[A-Za-z]{2,}")


class _Says(Func):
    """Whether the text has these words; the very expression that migration 0004 indexed.

    With `letters`, which every text with the words has in it, no index is asked: for texts that are looked at one by
    one. Letters are soon compared, while it takes time to take a text into words.
    """

    output_field: ClassVar = BooleanField()
    conditional = True

    def __init__(self, text: str, query: str, letters: str | None = None) -> None:
        super().__init__(F(text), Value(query), *([] if letters is None else [Value(f"%{letters}%")]))

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:  # type: ignore[override]
        """`to_tsvector(…) @@ to_tsquery(…)`, or `COALESCE(text ILIKE … AND …, false)`, which fits no index."""
        (text, none), (query, given), *letters = map(compiler.compile, self.source_expressions)
        parted = f"""translate("left"({text}, {LONGEST}), '{_PARTED.replace("%", "%%")}', '{" " * len(_PARTED)}')"""
        asked = f"to_tsquery('simple'::regconfig, {query})"
        says = f"(to_tsvector('simple'::regconfig, {parted}) @@ {asked})", (*none, *given)
        for like, shape in letters:
            says = f"COALESCE({text} ILIKE {like} AND {says[0]}, false)", (*none, *shape, *says[1])
        return says


def words_of(phrase: str) -> list[str]:
    """The words that are searched for; none: the phrase is nothing but punctuation."""
    return _WORD.findall(phrase)


def saying(phrases: Iterable[str], *, speaker: str = "", one_by_one: bool = False) -> QuerySet[Turn]:
    """Finished turns that hold each of these phrases, word after word; a star at its end stands for any ending.

    A phrase without a word is held by no turn. `one_by_one`: few turns are looked at, and PostgreSQL need not ask the
    index about all.
    """
    found = Turn.objects.filter(final=True)
    if speaker:
        found = found.filter(speaker=speaker)
    asked = [(words_of(phrase), phrase.rstrip().endswith("*")) for phrase in phrases]
    if not asked or not all(words for words, _ in asked):
        return found.none()
    if connection.vendor == "postgresql":
        query = " & ".join(_tsquery(words, is_begun=begun) for words, begun in asked)
        return found.filter(_Says("text", query, _letters(asked[0][0]) if one_by_one else None))
    match = " AND ".join(_fts5(words, is_begun=begun) for words, begun in asked)
    rows = RawSQL("SELECT rowid FROM sideband_turn_text WHERE sideband_turn_text MATCH %s", [match])
    return found.filter(pk__in=rows)


def tidy() -> None:
    """What was deleted is in no page of SQLite's index either; PostgreSQL's vacuum sees to its own."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO sideband_turn_text(sideband_turn_text) VALUES ('optimize')")


def _letters(words: list[str]) -> str:
    """What stands in every text with these words as it is, in either case: the longest piece that is in one word of
    PostgreSQL's, too. It parts `1e5abc`, but nothing that begins with a letter, no number, and no run of letters.
    """
    return max(_WHOLE.findall(" ".join(words)), key=len, default="")


def _tsquery(words: list[str], *, is_begun: bool) -> str:
    """Words have neither quotes nor operators in them (`_WORD`)."""
    return "(" + " <-> ".join(f"'{word}'" for word in words) + (":*" if is_begun else "") + ")"


def _fts5(words: list[str], *, is_begun: bool) -> str:
    return '"' + " ".join(words) + '"' + ("*" if is_begun else "")
