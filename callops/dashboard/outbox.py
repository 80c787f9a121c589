"""What waits to be sent to one browser: bounded, so that a slow one costs little memory and nobody else's time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache

from websockets.frames import Frame, Opcode

from callops.people.roles import Right
from callops.people.standing import Standing
from callops.people.veil import veil_once

LIMIT = 200
"""Fragments that may wait; with more the browser is behind and gets the whole picture later."""

PLAIN = Standing(is_active=True, rights=frozenset({Right.SEE_NUMBERS}))
"""Somebody who sees everything and may do nothing."""

AtOnce = Callable[[bytes], bool]
"""Hands a whole frame to the wire; False: it did not take it (`core.server.at_once`)."""


@lru_cache(maxsize=4)
def framed(text: str) -> bytes:
    """The text as one WebSocket frame; the next socket that gets the same text gets the same frame."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


class Outbox:
    """Texts for one socket of one user, in order.

    `standing` is where the user stood when the socket was opened: whether buttons are shown, numbers readable, and
    which lines seen. Numbers are veiled here, on the way out.
    """

    def __init__(
        self,
        *,
        user_id: int,
        standing: Standing = PLAIN,
        limit: int = LIMIT,
        at_once: AtOnce | None = None,
        name: str = "",
        session: str = "",
    ) -> None:
        self.user_id = user_id
        self.standing = standing
        self.may_act = standing.may(Right.ACT)
        self._veiled = not standing.may(Right.SEE_NUMBERS)
        self.name = name
        self.session = session
        """The key of the browser's session; empty when it has none."""
        self.behind = False
        self.close_code: int | None = None
        self._limit = limit
        self._at_once = at_once
        self._waiting: list[str] = []
        self._ready = asyncio.Event()

    def put(self, text: str) -> None:
        """The text goes out after those before it, at once if none waits and the socket takes it.

        Past the limit all are dropped and the browser is behind.
        """
        if not text or self.behind or self.close_code is not None:
            return
        text = veil_once(text) if self._veiled else text
        if self._at_once is not None and not self._waiting and self._at_once(framed(text)):
            return
        self._waiting.append(text)
        if len(self._waiting) > self._limit:
            self._waiting.clear()
            self.behind = True
        self._ready.set()

    def catch_up(self, whole: str) -> None:
        """The browser is behind no more: the whole picture is all that waits."""
        self._waiting = [veil_once(whole) if self._veiled else whole]
        self.behind = False
        self._ready.set()

    def close(self, code: int) -> None:
        """The socket is closed with this code once its writer looks."""
        self.close_code = code
        self._ready.set()

    async def take(self) -> str:
        """All that waits, as one text, once there is any; empty when the browser is behind or the socket closes."""
        await self._ready.wait()
        self._ready.clear()
        text = "\n".join(self._waiting)
        self._waiting.clear()
        return text
