"""Which calls somebody watches: pages say so over the channel layer, and what is said on those is stored sooner.

Said anew every second and forgotten by itself. If it is lost, a page has its news a little later, and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from time import monotonic
from typing import Any, Final, cast

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

GROUP: Final = "callops.watched"
KIND: Final = "watched"
LASTS_S: Final = 3.0
SEND_TIMEOUT_S: Final = 2.0


async def say(call_ids: Collection[str]) -> None:
    """Whoever stores what is said on these calls knows that somebody watches; a layer that is away is passed over."""
    if not call_ids:
        return
    message = {"type": KIND, "calls": list(call_ids)}
    try:
        await asyncio.wait_for(cast(Any, get_channel_layer()).group_send(GROUP, message), SEND_TIMEOUT_S)
    except Exception as wrong:  # the layer's own errors are of many kinds, and nothing depends on this
        logger.debug("That calls are watched could not be said. (%r)", wrong)


class Watched:
    """The calls that somebody watches now, as far as this process heard."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def take(self, message: dict[str, Any]) -> None:
        """These calls are watched, for a while."""
        now = self._clock()
        self._until = {pk: until for pk, until in self._until.items() if until > now}
        self._until |= dict.fromkeys(message.get("calls", ()), now + LASTS_S)

    def __contains__(self, call_id: object) -> bool:
        return self._until.get(cast(str, call_id), 0.0) > self._clock()
