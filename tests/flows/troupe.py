"""Stories played side by side: a flow waits far more than it works, so eight of one backend wait together."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from tests.flows.world import World

AT_ONCE = 8


class Troupe:
    """All stories of one backend that were selected; they begin, in order, when the first outcome is asked for."""

    def __init__(self, world: World, stories: list[Any]) -> None:
        self._world = world
        self._stories = stories
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="story")
        self._plays: dict[str, Future[None]] = {}

    def outcome_of(self, story: pytest.Item) -> None:
        """Returns when the story was played to its end; raises what it raised."""
        if not self._plays:
            self._plays = {each.nodeid: self._pool.submit(_play, each, self._world) for each in self._stories}
        self._plays[story.nodeid].result()

    def rest(self) -> None:
        """No story is being played afterwards."""
        wait(self._plays.values())

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def is_story(item: pytest.Item) -> bool:
    """A story shares its world: it looks only at calls of its own and leaves the app running.

    A caller whose two halves are joined by a guess needs a number that no other story uses.
    """
    return item.get_closest_marker("story") is not None


def _play(story: Any, world: World) -> None:
    story.obj(**{**story.callspec.params, "world": world})
