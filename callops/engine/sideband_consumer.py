"""The Channels consumer of one live call: its attachment, and what is asked of it."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

from callops.core import clock, ear
from callops.core.database import in_db
from callops.core.logs import about_call
from callops.engine.attachment import Attachment
from callops.engine.intervening import Acts
from callops.engine.outside import Outside
from callops.engine.sessions import Served
from callops.sideband import succession

COMMANDS: Final = "callops.sidebands"
"""The group on which the host of every engine hears what is asked of a call's sideband."""


async def ask(call_id: str, message: dict[str, Any]) -> None:
    """The message is on its way to whichever process holds the call's sideband. Raises what the layer raises."""
    await cast(Any, get_channel_layer()).group_send(COMMANDS, {**message, "call": call_id})


class SidebandConsumer(AsyncConsumer):
    """Scope: `{"type": "sideband", "served": …, "owner": …, "outside": …, "writer": …}`, hosted by the engine."""

    channel_layer_alias = ear.NO_LAYER
    attachment: Attachment
    serving: asyncio.Task[None]
    acts: Acts

    async def sideband_attach(self, message: dict[str, Any]) -> None:
        """The socket is opened and held from now on."""
        served: Served = self.scope["served"]
        outside: Outside = self.scope["outside"]
        owner, writer = self.scope["owner"], self.scope["writer"]
        inherits = bool(message.get("inherits"))
        self.attachment = Attachment(
            served, owner=owner, outside=outside, clock=clock.now, writer=writer, inherits=inherits
        )
        self.acts = Acts(self.attachment, clock=clock.now)
        with about_call(served.call_id):
            self.serving = asyncio.create_task(self.attachment.run())
        self.serving.add_done_callback(lambda _: asyncio.ensure_future(self.base_send({"type": "sideband.finished"})))

    async def sideband_send(self, message: dict[str, Any]) -> None:
        """A client event for the AI, asked for by another process; `when_quiet`: not while the AI answers already."""
        if message.get("when_quiet"):
            self.attachment.send_when_quiet(message["event"])
        else:
            await self.attachment.send(message["event"])

    async def sideband_act(self, message: dict[str, Any]) -> None:
        """A supervisor's act, by its id: what it is stands in the database."""
        self.acts.begin(message["id"])

    async def sideband_relieve(self, message: dict[str, Any]) -> None:
        """The heir, who hears already, has the sideband; all that was read here is kept."""
        served: Served = self.scope["served"]
        await self.attachment.hand_over()
        await self.serving
        await in_db(succession.hand_over)(served.session_id, self.scope["owner"])
        await self._leave()

    async def sideband_detach(self, message: dict[str, Any]) -> None:
        """The socket is given back; the call goes on."""
        await self.attachment.stop()
        await self._leave()

    async def sideband_finished(self, message: dict[str, Any]) -> None:
        """The attachment ended by itself."""
        await self._leave()

    async def _leave(self) -> None:
        self.acts.stop()
        await self.serving
        raise StopConsumer
