"""What a browser does with pieces from the socket: rows of lists, kept as htmx keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from callops.dashboard.routing import websocket_urlpatterns

WAIT_S = 15.0
"""A deadline, not a wait: a busy machine takes its time."""
VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "path", "source", "wbr"})
"""Elements without an end tag."""


class Pieces(HTMLParser):
    """Top-level elements with an out-of-band swap, and the rows (`li` with an id) inside them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.swaps: list[tuple[str, str, list[tuple[str, str]]]] = []
        self._depth = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if self._depth == 0 and "hx-swap-oob" in named:
            self.swaps.append((named["hx-swap-oob"], named.get("id", ""), []))
        if tag == "li" and self.swaps and named.get("id"):
            self.swaps[-1][2].append((named["id"], ""))
        if tag not in VOID:
            self._depth += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<path/>` opens nothing and closes nothing."""

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag not in VOID

    def handle_data(self, data: str) -> None:
        if self.swaps and self.swaps[-1][2]:
            row, text = self.swaps[-1][2][-1]
            self.swaps[-1][2][-1] = (row, f"{text} {data.strip()}".strip())


class Browser:
    """The rows a page shows, by the id of their list."""

    def __init__(self, path: str, user: Any, **lists: list[str]) -> None:
        self.lists: dict[str, list[str]] = {name.replace("_", "-"): list(rows) for name, rows in lists.items()}
        self.texts: dict[str, str] = {}
        self.received: list[str] = []
        self.socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), path)
        self.socket.scope["user"] = user

    async def __aenter__(self) -> Browser:
        connected, _ = await self.socket.connect(timeout=WAIT_S)
        assert connected
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.disconnect(timeout=WAIT_S)

    async def until(self, true: Callable[[Browser], bool]) -> None:
        """Receive and swap until it is true."""
        while not true(self):
            text = await self.socket.receive_from(timeout=WAIT_S)
            self.received.append(text)
            for swap, own_id, rows in Pieces(text).swaps:
                self._apply(swap, own_id, rows)

    async def closed(self) -> int:
        """The code with which the socket is closed, after whatever is sent before."""
        while (told := await self.socket.receive_output(timeout=WAIT_S))["type"] != "websocket.close":
            pass
        return int(told["code"])

    def saw(self, words: str) -> bool:
        return any(words in text for text in self.received)

    def _apply(self, swap: str, own_id: str, rows: list[tuple[str, str]]) -> None:
        how, _, where = swap.partition(":#")
        ids = [row for row, _ in rows]
        if how in {"innerHTML", "beforeend"}:
            kept = self.lists.get(where, []) if how == "beforeend" else []
            self.lists[where] = [*kept, *ids]
        elif how == "beforebegin":
            listed = next(each for each in self.lists.values() if where in each)
            listed[listed.index(where) : listed.index(where)] = ids
        elif how == "delete":
            for listed in self.lists.values():
                listed[:] = [each for each in listed if each != own_id]
        elif re.match(r"turn-|row-", own_id):
            assert any(own_id in listed for listed in self.lists.values()), f"{own_id} was swapped before it was there"
        self.texts.update(rows)
