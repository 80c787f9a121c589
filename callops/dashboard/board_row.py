"""One row of the board, as HTML. By hand and not by a template: a board has hundreds, and the hub draws each anew as
often as somebody speaks.

Whatever is not ours is escaped here, as templates do it by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from unicodedata import combining, is_normalized

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator

from callops.calls.models import Call
from callops.calls.words import State
from callops.dashboard import phrases
from callops.dashboard.board import Row
from callops.dashboard.moments import going_on, lasted, ms
from callops.dashboard.needs import Need
from callops.dashboard.templatetags.desk import chip, mechanism_chip, phone, tel
from callops.sideband.glance import Standing
from callops.sideband.models import Turn
from callops.sideband.quiet import Silence
from callops.transfers.models import TransferAttempt

SAID = 140
"""So many characters of the last words are shown."""


def board_rows(rows: Iterable[Row]) -> SafeString:
    """These rows, as a page shows them."""
    return mark_safe("\n".join(map(board_row, rows)))  # noqa: S308 - escaped below


def board_row(row: Row, swap: str = "", *, is_new: bool = False, live: bool = False) -> str:
    """One row. `swap`: it goes to a browser that has it; `is_new`: it flashes once; `live`: the browser counts."""
    return around(row, inside(row, live=live), swap, is_new=is_new)


def around(row: Row, drawn: str, swap: str = "", *, is_new: bool = False) -> str:
    """One row whose `inside` is drawn already: the same text goes to browsers that have it and to those that do not."""
    look = f"row{' new' if is_new else ''}{' over' if row.call.is_over else ''}"
    swapped = f' hx-swap-oob="{escape(swap)}"' if swap else ""
    return f'<li id="row-{row.call.pk}" class="{look}"{swapped}>{drawn}</li>'


def inside(row: Row, *, live: bool = False) -> str:
    """What a row says."""
    call = row.call
    return f"""<a href="{_address(call.pk)}">
<span class="row-state">{chip(phrases.call_chip(call))}</span>
<span class="row-time">{lasted(call, live=live)}</span>
<span class="row-caller">{_text(tel(call.from_number, call.to_number))}</span>
<span class="row-line">{_text(call.line_name if call.line else tel(call.to_number, call.to_number))}</span>
<span class="row-words">{_words(row, live=live)}</span>
<span class="row-about">{_about(row)}</span>
<span class="row-verdict">{_verdict(row.attempt)}</span>
</a>{_act(call, row.need) if row.need else ""}"""


def _words(row: Row, *, live: bool) -> str:
    missing = phrases.half(row.call)
    half = f'<span class="half tone-look">{escape(missing)}</span>' if missing else ""
    if row.need:
        return f"{_why(row.need, row.standing, live=live)}{' ' if half else ''}{half}"
    return f"{half}{' ' if half else ''}{_happening(row, live=live)}"


def _why(need: Need, standing: Standing, *, live: bool) -> str:
    since = standing.silent_since if standing.silence == Silence.DEAD_AIR else None
    return f'<span class="why">{escape(need.why)}{f" {going_on(since, live=live)}" if since else ""}</span>'


def _happening(row: Row, *, live: bool) -> str:
    """What is going on where nobody is needed: how it ended, what was said last, or what is waited for."""
    call = row.call
    if call.is_over and call.failure_stage:
        stage = call.get_failure_stage_display()
        return _note(f"{stage[:1].upper()}{stage[1:]}")
    if call.is_over and call.ended_by:
        return _note(f"ended by {call.get_ended_by_display()}")
    if row.turn:
        return _said(row.turn, row.standing, live=live)
    return _note("AI dialled, waiting for its webhook" if call.state == State.CONNECTING else "nothing said yet")


def _said(turn: Turn, standing: Standing, *, live: bool) -> str:
    since = standing.silent_since if standing.silence == Silence.CALLER else None
    silent = f'<span class="note">the caller is silent {going_on(since, live=live)}</span> ' if since else ""
    return f'{silent}<q class="from-{escape(turn.speaker)}">{escape(_cut(turn.text))}</q>'


def _cut(text: str) -> str:
    """At most `SAID` characters of the text, a letter with its marks as one."""
    if len(text) <= SAID:
        return text
    beginning = text[: SAID + 1]
    if is_normalized("NFC", beginning) and not any(map(combining, beginning)):  # most texts: the same, far sooner
        return f"{text[: SAID - 1]}…"
    return Truncator(text).chars(SAID)


def _about(row: Row) -> str:
    tools = "".join(f'<span class="tool">{escape(tool)}</span>' for tool in row.tools)
    if not row.looking:
        return tools
    who = escape(", ".join(row.looking))
    return f'{tools}<span class="note" title="{who}">{len(row.looking)} watching</span>'


def _verdict(attempt: TransferAttempt | None) -> str:
    if attempt is None:
        return ""
    took = attempt.time_to_human_ms
    wait = "" if took is None else f' <span class="wait">{ms(took)}</span>'
    return f"{mechanism_chip(attempt.mechanism)}{wait}"


def _act(call: Call, need: Need) -> str:
    where = f"{_address(call.pk)}#{escape(need.place)}"
    who = f'<span class="sr">: {escape(phone(call.from_number))}</span>'
    return f'<a class="row-act" href="{where}">{escape(need.act)}{who}</a>'


def _note(words: str) -> str:
    return f'<span class="note">{escape(words)}</span>'


def _text(words: str) -> str:
    return words if isinstance(words, SafeString) else escape(words)


@lru_cache(maxsize=4096)
def _address(call_id: str) -> str:
    return escape(reverse("dashboard:call", args=[call_id]))
