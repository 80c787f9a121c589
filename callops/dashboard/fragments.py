"""Pieces of pages as htmx swaps them out of band: the same rows and templates as the pages, once for all watchers."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence, Set

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from callops.calls.models import Event
from callops.core.clock import now
from callops.dashboard import call_page, signs
from callops.dashboard.board import Counts
from callops.dashboard.call_rows import event_row, turn_row
from callops.sideband.models import Turn

Place = tuple[int, int]
"""Position and key of a turn: its place in the transcript."""


def light() -> str:
    """The connection light, lit: also the heartbeat by which the browser knows that we are there."""
    return render_to_string("dashboard/_light.html", {"live": True, "oob": True})


def light_away() -> str:
    """The light while there is nothing to read the page from: what it shows is as old as its last news."""
    return render_to_string("dashboard/_light.html", {"away": True, "oob": True})


def house() -> list[str]:
    """Open troubles and signs of life, each swapped whole by its id; the browser fills in how long ago."""
    context = {"house": signs.house(now()), "oob": True, "live": True}
    return [render_to_string(f"dashboard/_{name}.html", context) for name in ("alarms", "signs")]


def turns(changed: Iterable[Turn], places: list[Place]) -> str:
    """Changed rows swapped by id, new ones put where they belong; `places` (sorted) is kept up to date."""
    pieces: list[str] = []
    for row in changed:
        place = call_page.order(row)
        if _holds(places, place):
            pieces.append(turn_row(row, swap="true"))
            continue
        pieces += _forget_old_place(row.pk, places)
        pieces.append(_inserted(row, place, places))
    return "\n".join(pieces)


def gone(turn_ids: Set[int] | None, places: list[Place]) -> str:
    """Turns that were taken back leave the transcript; `places` is kept up to date."""
    if turn_ids is None:
        return ""
    taken_back = [pk for _, pk in places if pk not in turn_ids]
    places[:] = [place for place in places if place[1] in turn_ids]
    return "\n".join(delete(f"turn-{pk}") for pk in taken_back)


def events(new: Sequence[Event]) -> str:
    """New rows at the end of the timeline."""
    return put("beforeend:#timeline", map(event_row, new)) if new else ""


def put(swap: str, pieces: Iterable[str]) -> SafeString:
    """The pieces, swapped in at a place: `beforeend:#x`, `innerHTML:#x`, `beforebegin:#x`."""
    return format_html('<ol hx-swap-oob="{}">{}</ol>', swap, mark_safe("\n".join(pieces)))  # noqa: S308 - our templates


def delete(element_id: str) -> SafeString:
    """The element is gone."""
    return format_html('<div id="{}" hx-swap-oob="delete"></div>', element_id)


def status(picture: call_page.Picture) -> dict[str, str]:
    """Header, verdict, commands and who looks, each swapped whole by its id."""
    context = {**call_page.status(picture), "oob": True, "live": True}
    return {
        name: render_to_string(f"dashboard/_{name}.html", context)
        for name in ("header", "verdict", "commands", "supervise", "looking", "halves")
    }


def moved(joined: str) -> str:
    """The header of a half that became part of another call: where to go on."""
    return render_to_string("dashboard/_moved.html", {"joined": joined})


def whole(picture: call_page.Picture) -> str:
    """Transcript and timeline from the first row to the last."""
    return put("innerHTML:#transcript", map(turn_row, picture.turns)) + put(
        "innerHTML:#timeline", map(event_row, picture.events)
    )


def board_counts(counts: Counts) -> str:
    """The numbers of the status strip, and how many calls need somebody above their list."""
    context = {"counts": counts, "oob": True}
    return "\n".join(render_to_string(f"dashboard/_{name}.html", context) for name in ("counts", "needing"))


def _holds(places: list[Place], place: Place) -> bool:
    index = bisect_left(places, place)
    return index < len(places) and places[index] == place


def _forget_old_place(pk: int, places: list[Place]) -> list[str]:
    """A turn that moved leaves its old place first."""
    old = [place for place in places if place[1] == pk]
    for place in old:
        places.remove(place)
    return [delete(f"turn-{pk}") for _ in old]


def _inserted(row: Turn, place: Place, places: list[Place]) -> str:
    index = bisect_left(places, place)
    swap = f"beforebegin:#turn-{places[index][1]}" if index < len(places) else "beforeend:#transcript"
    insort(places, place)
    return put(swap, [turn_row(row)])
