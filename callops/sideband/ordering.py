"""The order of a conversation's items, learnt from what each one says it follows."""

from __future__ import annotations

from typing import Final

import msgspec

FRONT: Final = ""
_FRONT_WORDS: Final = frozenset({None, "", "root"})


class Ordering(msgspec.Struct):
    """Items in conversation order; the result depends on what was learnt, not on when.

    Each item hangs off the one it follows, and the order is that tree walked from the front: an item, its pinned
    notes, then its followers, the youngest first, because a later insertion after the same item comes before the
    earlier one. Items whose place is not known yet stand at the end by arrival, and so does an unknown previous
    item; when its own place is learnt, everything that hangs off it moves along.
    """

    parents: dict[str, str] = msgspec.field(default_factory=dict)
    followers: dict[str, list[str]] = msgspec.field(default_factory=dict)
    pinned: dict[str, list[str]] = msgspec.field(default_factory=dict)
    loose: list[str] = msgspec.field(default_factory=list)
    order: list[str] = msgspec.field(default_factory=list)
    ranks: dict[str, int] = msgspec.field(default_factory=dict)

    def arrive(self, item_id: str) -> None:
        """The item is known; without a place it stands at the end."""
        if item_id not in self.ranks:
            self.loose.append(item_id)
            self._append(item_id)

    def pin(self, note_id: str) -> None:
        """The note stands after whatever is last now, and stays with it."""
        last = self.order[-1] if self.order else FRONT
        parent = self.parents.get(last, FRONT)
        host = parent if last in self.pinned.get(parent, ()) else last
        self.parents[note_id] = host
        self.pinned.setdefault(host, []).append(note_id)
        self._append(note_id)

    def place(self, item_id: str, previous: str | None) -> bool:
        """The item follows `previous` (null or "root": it is the first); True when a known item moved by it.

        An item that claims to follow itself, directly or by a circle, keeps the place it has.
        """
        parent = FRONT if previous in _FRONT_WORDS else str(previous)
        if self.parents.get(item_id) == parent:
            return False
        if self._follows(parent, item_id):
            self.arrive(item_id)
            return False
        if parent != FRONT:
            self.arrive(parent)
        self._detach(item_id)
        self.parents[item_id] = parent
        self.followers.setdefault(parent, []).insert(0, item_id)
        return self._walk()

    def _append(self, item_id: str) -> None:
        self.ranks[item_id] = len(self.order)
        self.order.append(item_id)

    def _follows(self, item_id: str, other: str) -> bool:
        node: str | None = item_id
        while node and node != other:
            node = self.parents.get(node)
        return node == other

    def _detach(self, item_id: str) -> None:
        parent = self.parents.get(item_id)
        if parent is not None:
            self.followers[parent].remove(item_id)
        elif item_id in self.loose:
            self.loose.remove(item_id)

    def _walk(self) -> bool:
        before = self.order
        order = list(self.pinned.get(FRONT, ()))
        ahead = [*reversed(self.loose), *reversed(self.followers.get(FRONT, ()))]
        while ahead:
            item_id = ahead.pop()
            order.append(item_id)
            order.extend(self.pinned.get(item_id, ()))
            ahead.extend(reversed(self.followers.get(item_id, ())))
        self.order = order
        self.ranks = {item_id: rank for rank, item_id in enumerate(order)}
        return order[: len(before)] != before
