"""Watched calls that changed, read together: in most of them people talk, and nothing else changes."""

from __future__ import annotations

import contextlib
from collections.abc import Collection

from callops.core.clock import now
from callops.core.database import in_db
from callops.dashboard import call_page
from callops.dashboard.topics import CallTopic


async def refresh_all(topics: Collection[CallTopic]) -> None:
    """Every browser that watches one of these has been handed what is new.

    Calls in which people only talk are read together and rendered without the rest of their pages.
    """
    if not topics:
        return
    async with contextlib.AsyncExitStack() as held:
        for topic in topics:
            await held.enter_async_context(topic.lock)
        texts = await in_db(_talk)(topics)
        for topic, text in texts.items():
            topic.deliver(text)
    for topic in topics:
        if topic not in texts:
            await topic.refresh()


def _talk(topics: Collection[CallTopic]) -> dict[CallTopic, str]:
    """What was said on those calls on which nothing else happened; empty for one that is as it was."""
    stamps = call_page.stamps([topic.call_id for topic in topics], now())
    calm = [t for t in topics if t.stamp and t.call_id in stamps and call_page.only_talk(t.stamp, stamps[t.call_id])]
    talking = [topic for topic in calm if topic.stamp != stamps[topic.call_id]]
    texts: dict[CallTopic, str | None] = dict.fromkeys(calm, "")
    if talking:
        talk = call_page.talk_since({topic.call_id: topic.cursor for topic in talking})
        texts |= {topic: topic.talk(stamps[topic.call_id], talk[topic.call_id]) for topic in talking}
    return {topic: text for topic, text in texts.items() if text is not None}
