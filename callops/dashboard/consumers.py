"""The browsers' sockets: they only listen. Acts go by POST, because a socket replays what was clicked while offline."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer

from callops.audit import chain, verbs
from callops.audit.middleware import recent
from callops.core import ear
from callops.core.clock import now
from callops.core.database import in_db
from callops.core.doors import SOCKETS
from callops.core.rates import rates
from callops.dashboard import access
from callops.dashboard.hub import NOT_SIGNED_IN, hub
from callops.dashboard.outbox import Outbox
from callops.dashboard.sifting import sift_of
from callops.people.roles import Right
from callops.people.standing import standing_of
from callops.supervision import presence

NO_SUCH_CALL = 4404
TOO_OFTEN = 1013
"""Try again later (RFC 6455 registry): browsers come back by themselves, each time after a longer while."""


class Live(AsyncWebsocketConsumer):
    """One socket of a signed-in user; what it watches is said by `join`."""

    channel_layer_alias = ear.NO_LAYER
    """The hub hears for all of them."""
    writing: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Accepted, and closed at once when nobody is signed in (so that the page learns why)."""
        user = self.scope.get("user")
        await self.accept()
        if not access.may_see(user):
            await self.close(NOT_SIGNED_IN)
            return
        if rates.wait_s((SOCKETS.name, user.pk), SOCKETS.a_minute, now().timestamp()):
            await self.close(TOO_OFTEN)
            return
        at_once = self.scope.get("extensions", {}).get("callops.at_once")
        standing, name = await in_db(standing_of)(user), getattr(user, "username", "")
        session = getattr(self.scope.get("session"), "session_key", None) or ""
        self.outbox = Outbox(user_id=user.pk, standing=standing, at_once=at_once, name=name, session=session)
        self.writing = asyncio.create_task(self._write())
        if not await self.join():
            await self.close(NO_SUCH_CALL)

    async def join(self) -> bool:
        """Watch the board, sifted as its address asks."""
        query = {name: values[0] for name, values in _query(self.scope).items()}
        numbers = self.outbox.standing.may(Right.SEE_NUMBERS)
        await hub.join_board(self.outbox, sift_of(query, numbers=numbers))
        return True

    async def disconnect(self, code: int) -> None:
        """Nothing is kept for a browser that left."""
        if self.writing is None:
            return
        hub.leave(self.outbox)
        self.writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.writing

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Whatever a browser sends is nothing we act on."""

    async def _write(self) -> None:
        while self.outbox.close_code is None:
            text = await self.outbox.take()
            if text:
                await self.send(text)
            if self.outbox.behind:
                await hub.catch_up(self.outbox)
        await self.close(self.outbox.close_code)


class BoardLive(Live):
    """The board, live."""


class CallLive(Live):
    """One call, live; the page says in the address how far it has read."""

    call_id = ""
    """The call of which it was said that this person looks at it."""

    async def join(self) -> bool:
        """Watch the call from where the page stands."""
        query = _query(self.scope)
        call_id = str(self.scope["url_route"]["kwargs"]["call_id"])
        joined = await hub.join_call(call_id, self.outbox, seq=_number(query, "seq"), rev=_number(query, "rev"))
        if joined and self.outbox.name:
            self.call_id = call_id
            await in_db(presence.here)(call_id, self.outbox.name, now=now())
            if recent.is_new((self.outbox.name, verbs.WATCH, call_id), now()):
                await in_db(chain.record)(self.outbox.name, verbs.WATCH, now=now(), call=call_id)
        return joined

    async def disconnect(self, code: int) -> None:
        """The person is seen to leave; another window of theirs says within ten seconds that they are still there."""
        await super().disconnect(code)
        if self.call_id:
            await in_db(presence.gone)(self.call_id, self.outbox.name)


class Nowhere(AsyncWebsocketConsumer):
    """No socket is at this address: the handshake is refused with 403 (ASGI has no 404 for it)."""

    channel_layer_alias = ear.NO_LAYER

    async def connect(self) -> None:
        """Not accepted."""
        await self.close()


def _query(scope: Mapping[str, Any]) -> dict[str, list[str]]:
    return parse_qs(scope.get("query_string", b"").decode("ascii", "replace"))


def _number(query: dict[str, Any], name: str) -> int:
    """A cursor from the address; -1, which no page can stand at, when it is none."""
    text = query.get(name, [""])[0]
    return int(text) if text.isdecimal() and len(text) < 12 else -1
