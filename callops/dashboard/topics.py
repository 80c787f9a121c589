"""What is watched: one call, or the board. Each is read once and rendered once, however many browsers watch."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from callops.core.clock import now
from callops.core.database import in_db, in_db_patiently
from callops.dashboard import board, call_page, fragments
from callops.dashboard.board_row import around, inside
from callops.dashboard.call_page import Cursor, Stamp, Talk
from callops.dashboard.fragments import Place
from callops.dashboard.outbox import Outbox
from callops.dashboard.sifting import ALL, Sift
from callops.people.standing import EVERYTHING, Scope

ACTING = frozenset({"commands", "supervise"})
"""The fragments only those who may act are shown."""


AT_ONCE = 25
"""Rows of the board that are read together."""
BREATH_S = 0.01
"""Between two such readings."""


class CallTopic:
    """One call and the browsers that watch it. All reading happens under `lock`, so joining is atomic."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.lock = asyncio.Lock()
        self.outboxes: set[Outbox] = set()
        self.joining = 0
        self.stamp: Stamp = ()
        self.line_id: int | None = None
        """The line of the call as it was last read: who does not see it does not watch."""
        self._seq = 0
        self._rev = 0
        self._places: list[Place] = []
        self._status: dict[str, str] = {}

    async def refresh(self) -> None:
        """Every browser that watches has been handed what is new."""
        async with self.lock:
            await self._deliver_news()

    def talk(self, stamp: Stamp, talk: Talk) -> str | None:
        """What was said, rendered; the cursors stand after it. None, and nothing done: it is not all that changed.

        Under `lock`, and when the stamps allow it (`call_page.only_talk`).
        """
        shown = {pk for _, pk in self._places} | {turn.pk for turn in talk.turns}
        changed = talk.turns or cast(int, stamp[0]) > self._rev
        if not talk.is_all or (changed and talk.count != len(shown)):
            return None
        self._seq = max([self._seq, *(event.seq for event in talk.events)])
        self._rev = max([self._rev, *(turn.rev for turn in talk.turns)])
        self.stamp = stamp
        pieces = [fragments.turns(talk.turns, self._places), fragments.events(talk.events)]
        return "\n".join(piece for piece in pieces if piece)

    def deliver(self, text: str) -> None:
        """Every browser that watches is handed this."""
        for outbox in self.outboxes:
            outbox.put(text)

    @property
    def cursor(self) -> Cursor:
        """What every browser has."""
        return Cursor(self._seq, self._rev)

    async def join(self, outbox: Outbox, seq: int, rev: int) -> bool:
        """The browser watches from now on, without gap or double; False when there is no such call.

        `seq` and `rev` are what its page shows; when that is not all, it gets the whole picture.
        """
        async with self.lock:
            if not await self._deliver_news() or not outbox.standing.scope.sees_line(self.line_id):
                return False
            news = [fragments.light(), *self._for(outbox, self._status)]
            if (seq, rev) != (self._seq, self._rev):
                news.insert(0, await self._whole())
            outbox.put("\n".join(news))
            self.outboxes.add(outbox)
            return True

    async def catch_up(self, outbox: Outbox) -> None:
        """A browser that fell behind gets the whole picture."""
        async with self.lock:
            await self._deliver_news()
            outbox.catch_up("\n".join([await self._whole(), *self._for(outbox, self._status)]))

    async def _deliver_news(self) -> bool:
        news = await in_db(self._read)()
        if news is None:
            return await self._deliver_farewell()
        shared, status = news
        texts: dict[bool, str] = {}
        for outbox in self.outboxes:
            if outbox.may_act not in texts:
                pieces = [shared, *self._for(outbox, status)]
                texts[outbox.may_act] = "\n".join(piece for piece in pieces if piece)
            outbox.put(texts[outbox.may_act])
        return True

    async def _deliver_farewell(self) -> bool:
        """Whoever watches a half that became part of another call is told where to go on; always False."""
        joined = await in_db(call_page.became)(self.call_id) if self.outboxes else None
        if joined:
            text = await in_db(fragments.moved)(joined)
            for outbox in self.outboxes:
                outbox.put(text)
        return False

    def _read(self) -> tuple[str, dict[str, str]] | None:
        """New rows and changed fragments, rendered; the cursors stand after them. None: no such call."""
        picture = call_page.read(self.call_id, now=now(), seq=self._seq, rev=self._rev)
        if picture is None:
            return None
        self.line_id = picture.call.line_id
        status = fragments.status(picture)
        changed = {name: text for name, text in status.items() if self._status.get(name) != text}
        if self._status:
            gone = fragments.gone(picture.turn_ids, self._places)
            rows = [gone, fragments.turns(picture.turns, self._places), fragments.events(picture.events)]
        else:  # the first reading: nobody watches yet, the page has these rows or gets the whole picture
            rows, self._places = [], [call_page.order(turn) for turn in picture.turns]
        self._seq, self._rev, self._status, self.stamp = picture.seq, picture.rev, status, picture.stamp
        return "\n".join(piece for piece in rows if piece), changed

    async def _whole(self) -> str:
        """All rows up to the cursors; rows that came since are not yet anybody's and are left for the next reading."""
        picture = await in_db(call_page.read)(self.call_id, now=now())
        if picture is None:
            return ""
        known = {pk for _, pk in self._places}
        return fragments.whole(picture.upto(self._seq, known))

    @staticmethod
    def _for(outbox: Outbox, status: dict[str, str]) -> list[str]:
        return [text for name, text in status.items() if name not in ACTING or outbox.may_act]


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as the browsers have it."""

    section: str
    """Empty: the row is left out, as the board's address asks."""
    is_over: bool
    place: board.Place
    stamp: tuple[object, ...]
    inside: str
    text: str


class BoardTopic:
    """The board of one scope, sifted by one address, and the browsers that watch it."""

    def __init__(self, scope: Scope = EVERYTHING, sift: Sift = ALL) -> None:
        self.scope = scope
        self.sift = sift
        self.lock = asyncio.Lock()
        self.outboxes: set[Outbox] = set()
        self._shown: dict[str, Shown] = {}
        self._counted: board.Counts | None = None
        self._counts = ""

    async def refresh(self, call_ids: Collection[str]) -> None:
        """Every browser has the rows of these calls as they are now; read a few at a time, between what is urgent."""
        asked = list(call_ids)
        for start in range(0, max(1, len(asked)), AT_ONCE):
            if start:
                await asyncio.sleep(BREATH_S)
            async with self.lock:
                self._deliver(await in_db_patiently(self._read)(asked[start : start + AT_ONCE]))

    async def differing(self) -> set[str]:
        """The calls that changed, came or left since their rows were read."""
        async with self.lock:
            stamps = await in_db_patiently(board.stamps)(now(), self.scope)
            known = self._shown
            changed = {pk for pk in stamps if pk not in known or known[pk].stamp != stamps[pk]}
            return changed | (known.keys() - stamps.keys())

    async def join(self, outbox: Outbox) -> None:
        """The browser watches from now on, beginning with the whole board."""
        async with self.lock:
            if not self.outboxes:
                self._shown.clear()
                self._counted = None
                await in_db(self._read)(None)
            outbox.put(self._whole())
            self.outboxes.add(outbox)

    async def catch_up(self, outbox: Outbox) -> None:
        """A browser that fell behind gets the whole board."""
        async with self.lock:
            outbox.catch_up(self._whole())

    def _deliver(self, text: str) -> None:
        for outbox in self.outboxes:
            outbox.put(text)

    def _read(self, call_ids: Collection[str] | None) -> str:
        """The changes of these rows (all: None) and of the counts, rendered."""
        refused, behind = board.counted(now())
        rows = [] if call_ids is not None and not call_ids else board.rows(now(), self.scope, only=call_ids)
        here = {row.id for row in rows}
        pieces = [self._removed(pk) for pk in sorted((set(call_ids or ()) - here) & self._shown.keys())]
        pieces += [self._placed(row) for row in rows]
        counts = board.Counts(
            live=sum(not shown.is_over for shown in self._shown.values()),
            needs=sum(shown.section == board.NEEDS for shown in self._shown.values()),
            refused=refused,
            behind=behind,
        )
        if counts != self._counted:
            self._counted, self._counts = counts, fragments.board_counts(counts)
            pieces.append(self._counts)
        return "\n".join(piece for piece in pieces if piece)

    def _removed(self, pk: str) -> str:
        return fragments.delete(f"row-{pk}") if self._shown.pop(pk).section else ""

    def _placed(self, row: board.Row) -> str:
        """The row where it belongs: nothing when it is there already, swapped in place, moved, or left out."""
        old = self._shown.get(row.id)
        section = row.section if row.need or self.sift.lets(row.call) else ""
        drawn = inside(row, live=True) if section else ""
        new = Shown(section, row.call.is_over, row.place, row.stamp, drawn, around(row, drawn) if section else "")
        if old and (old.section, old.place) == (new.section, new.place):
            self._shown[row.id] = new
            return "" if old.text == new.text else around(row, drawn, swap="true")
        gone = fragments.delete(f"row-{row.id}") if old and old.section else ""
        self._shown[row.id] = new
        return f"{gone}\n{self._put(row, new, is_new=not gone)}" if section else gone

    def _put(self, row: board.Row, new: Shown, *, is_new: bool) -> str:
        """The row above the first one that comes after it; one that was not there before flashes once."""
        below = [each for each in self._listed(new.section) if new.place.comes_before(each)]
        swap = f"beforebegin:#row-{below[0].pk}" if below else f"beforeend:#board-{new.section}"
        return fragments.put(swap, [around(row, new.inside, is_new=is_new)])

    def _listed(self, section: str) -> list[board.Place]:
        """The places of a section's rows, from the first to the last."""
        places = [shown.place for shown in self._shown.values() if shown.section == section]
        return sorted(sorted(places, key=lambda place: place.pk, reverse=True), key=lambda place: place.rank)

    def _whole(self) -> str:
        lists: list[Any] = [
            fragments.put(
                f"innerHTML:#board-{section}", [self._shown[place.pk].text for place in self._listed(section)]
            )
            for section in (board.NEEDS, board.LIVE)
        ]
        return "\n".join([*lists, self._counts, fragments.light()])
