"""Browsers in a process of their own: sockets whose texts are swapped into pages as htmx swaps them.

`python -m bench.browsers SERVER COOKIE` reads a JSON list of call ids (`""`: the board), opens a browser for each and
prints `open`. When it reads a JSON object of call ids and how many pieces were said on each, it waits until every page
has them all (or no longer), and prints `{"seconds": […], "missing": n, "stray": n}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from html.parser import HTMLParser
from time import perf_counter
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

from bench.letters import from_letters

PIECE = re.compile(r"([a-z]+)~([a-z]+)")
MAY_TAKE_S = 20.0
WARM_S = 5.0
"""What is said in the first seconds, when everybody begins at once, has to arrive but is not timed."""


class Rows(HTMLParser):
    """The rows (`li` with an id) in what came, each with its swap and its text; deleted ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[tuple[str, bool, list[str]]] = []
        self.gone: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if named.get("hx-swap-oob") == "delete":
            self.gone.append(named.get("id") or "")
        elif tag == "li" and named.get("id"):
            self.rows.append((named["id"] or "", named.get("hx-swap-oob") == "true", []))

    def handle_data(self, data: str) -> None:
        if self.rows:
            self.rows[-1][2].append(data)


class Page:
    """One call's transcript in one browser."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.rows: dict[str, str] = {}
        self.shown: set[str] = set()
        self.seconds: list[tuple[float, float]] = []
        """When a piece was sent, and how long it took."""
        self.stray = 0

    def swap(self, text: str) -> None:
        """What came is in the page; each piece that is new in it took so long from the sideband to here."""
        came = Rows(text)
        for row_id in came.gone:
            self.rows.pop(row_id, None)
        for row_id, in_place, texts in came.rows:
            if in_place and row_id not in self.rows:
                self.stray += 1  # htmx finds nothing to swap
                continue
            self.rows[row_id] = "".join(texts)
        now = perf_counter()
        for row_id, _, _ in came.rows:
            for number, sent_us in PIECE.findall(self.rows.get(row_id, "")):
                if number not in self.shown:
                    self.shown.add(number)
                    sent = from_letters(sent_us) / 1e6
                    self.seconds.append((sent, now - sent))

    async def watch(self, socket: ClientConnection) -> None:
        """Swap whatever comes."""
        async for text in socket:
            self.swap(str(text))


async def main() -> None:
    """Watch until standard input ends."""
    server, cookie = sys.argv[1:]
    calls = json.loads(await asyncio.to_thread(sys.stdin.readline))
    pages = [Page(call_id) for call_id in calls]
    async with contextlib.AsyncExitStack() as held:
        watching = []
        for page in pages:
            path = f"/ws/calls/{page.call_id}/?seq=0&rev=0" if page.call_id else "/ws/board/"
            socket = await held.enter_async_context(_open(server, path, cookie))
            watching.append(asyncio.create_task(page.watch(socket)))
        print("open", flush=True)
        said = json.loads(await asyncio.to_thread(sys.stdin.readline))
        print(json.dumps(await _report([page for page in pages if page.call_id], said)), flush=True)
        for task in watching:
            task.cancel()


def _open(server: str, path: str, cookie: str) -> connect:
    origin = f"http://{urlsplit(server).netloc}"
    return connect(
        f"{server}{path}",
        compression=None,
        origin=origin,
        additional_headers={"Cookie": cookie},
        max_size=None,
    )


async def _report(pages: list[Page], said: dict[str, int]) -> dict[str, object]:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(MAY_TAKE_S):
            while any(len(page.shown) < said[page.call_id] for page in pages):  # noqa: ASYNC110 - a look is enough
                await asyncio.sleep(0.05)
    begun = min(sent for page in pages for sent, _ in page.seconds)
    return {
        "seconds": [took for page in pages for sent, took in page.seconds if sent > begun + WARM_S],
        "missing": sum(said[page.call_id] - len(page.shown) for page in pages),
        "stray": sum(page.stray for page in pages),
    }


if __name__ == "__main__":
    asyncio.run(main())
