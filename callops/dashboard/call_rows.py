"""The rows of a call's page, as HTML: what was said, and what happened. By hand and not by a template: the hub draws
one for every word of every call that somebody watches.

Whatever is not ours is escaped here, as templates do it by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from callops.calls.kinds import Kind
from callops.calls.models import Event
from callops.calls.words import Lane
from callops.dashboard import wording
from callops.dashboard.moments import local, ms
from callops.dashboard.templatetags.desk import rule_label
from callops.sideband.models import Speaker, Turn

TOOK = (
    "From OpenAI's word that the caller stopped speaking until the answer began to play, by our receive times. The half"
    " second of silence by which it knows is not in it."
)


def turn_rows(turns: Iterable[Turn]) -> SafeString:
    """What was said, as a page shows it."""
    return mark_safe("\n".join(map(turn_row, turns)))  # noqa: S308 - escaped below


def event_rows(events: Iterable[Event]) -> SafeString:
    """What happened, as a page shows it."""
    return mark_safe("\n".join(map(event_row, events)))  # noqa: S308 - escaped below


def turn_row(turn: Turn, swap: str = "") -> SafeString:
    """One row of the transcript. `swap`: it goes to a browser that has it."""
    detail = turn.detail
    unfinished, quiet = ("", "") if turn.final else (" unfinished", ' aria-live="off"')
    look = f"turn from-{_name(turn.speaker)}{unfinished}{' whispered' if detail.get('whisper') else ''}"
    swapped = f' hx-swap-oob="{escape(swap)}"' if swap else ""
    marks = f"{_redacted(turn)}{_partial(turn)}{_took(turn)}" if detail or turn.partial else ""
    return mark_safe(  # noqa: S308 - every text is escaped
        f"""<li id="turn-{turn.pk}" class="{look}"{quiet}{swapped}>
<a class="turn-at" href="#turn-{turn.pk}" title="Link to this line">{local(turn.started_at)}</a>
<span class="turn-who">{_who(turn.speaker)}</span>
<div class="turn-text">{_words(turn)}{marks}</div>
</li>"""
    )


def event_row(event: Event) -> SafeString:
    """One row of the timeline."""
    return mark_safe(  # noqa: S308 - every text is escaped
        f"""<li id="event-{event.seq}" class="event lane-{_name(event.lane)}">
<span class="event-at">{local(event.at, "exact")}</span>
<span class="event-lane">{_lane(event.lane)}</span>
<div class="event-text">{escape(wording.sentence(event.kind, event.body))}</div>
{_raw(event)}
</li>"""
    )


def _words(turn: Turn) -> str:
    if turn.speaker == Speaker.TOOL:
        return _tool(turn)
    if turn.detail.get("whisper"):
        return _whisper(turn)
    caret = (
        "" if turn.final else '<span class="caret" aria-hidden="true"></span><span class="sr"> still speaking</span>'
    )
    return f"<span>{escape(turn.heard)}</span>{_unheard(turn.unheard)}{caret}"


def _unheard(words: str) -> str:
    if not words:
        return ""
    cut = f'<del title="The caller had cut in and did not hear this">{escape(words)}</del>'
    return f'{cut} <small class="note">cut off, not heard</small>'


def _tool(turn: Turn) -> str:
    detail = turn.detail
    name, call_id = _text(detail.get("name") or "tool"), _text(detail.get("call_id") or "")
    answered = '<p class="note">not answered yet</p>' if turn.final else ""
    if output := detail.get("output"):
        answered = f'<p class="note">answered <code>{_text(output)}</code></p>'
    return (
        f'<div class="card tool-card"><p><b>{name}</b> <span class="note">{call_id}</span></p>'
        f'<code class="tool">{escape(turn.text or "used a tool")}</code>{answered}</div>'
    )


def _whisper(turn: Turn) -> str:
    by = turn.detail.get("by")
    whose = f"whisper{f' of {_text(by)}' if by else ''}, hidden from the caller"
    return f'<div class="card"><p class="note">{whose}</p><p>{escape(turn.text)}</p></div>'


def _redacted(turn: Turn) -> str:
    """What the line's rules replaced, and the way to it."""
    redacted = turn.detail.get("redacted")
    if not redacted:
        return ""
    what = ", ".join(_text(rule_label(rule)) + _times(times) for rule, times in redacted.items())
    where = escape(reverse("dashboard:reveal", args=[turn.call_id, turn.pk]))
    return (
        f' <small class="note" title="Replaced before it was kept, by the rules of this line">{what} not kept readable'
        f'</small> <a class="reveal" href="{where}">Read it…</a>'
    )


def _times(times: int) -> str:
    return f" × {_text(times)}" if times > 1 else ""


def _partial(turn: Turn) -> str:
    return ' <small class="note tone-look">cut off when the connection ended</small>' if turn.partial else ""


def _took(turn: Turn) -> str:
    """How long the caller waited for this answer."""
    waited = turn.detail.get("waited_ms")
    if not waited:
        return ""
    scale = 'min="0" max="4000" low="1500" high="3000" optimum="0"'
    meter = f'<meter {scale} value="{_text(waited)}" aria-hidden="true"></meter>'
    return f' <span class="took" title="{TOOK}">{meter}{ms(waited)}</span>'


def _raw(event: Event) -> str:
    """The body as it came, where it says more than the page already does: a finished turn is in the transcript."""
    if not event.body or event.kind == Kind.OPENAI_TURN:
        return ""
    body = json.dumps(event.body, indent=2, ensure_ascii=False, default=str)
    return (
        f'<details id="raw-{event.seq}"><summary title="What exactly was received or sent">raw</summary>'
        f'<p class="note mono">{escape(event.kind)}</p><pre tabindex="0">{escape(body)}</pre></details>'
    )


def _text(value: object) -> str:
    return escape(str(value))


_name = lru_cache(maxsize=256)(escape)
"""Of speakers and lanes there are few."""


@lru_cache(maxsize=64)
def _who(speaker: str) -> str:
    return escape(Speaker(speaker).label if speaker in Speaker.values else speaker)


@lru_cache(maxsize=64)
def _lane(lane: str) -> str:
    return escape(Lane(lane).label if lane in Lane.values else lane)
