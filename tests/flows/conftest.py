"""The same flows on SQLite in one process, and on PostgreSQL with Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flows.troupe import Troupe, is_story
from tests.flows.world import World
from tests.servers import fresh_database

HERE = Path(__file__).parent
MAY_TAKE_S = 300


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all flows of a backend: a call of one test is nobody else's."""
    backend = str(request.param)
    folder: Path = tmp_path_factory.mktemp(backend)
    if backend == "sqlite":
        made = World(folder, backend)
    else:
        database = fresh_database(request.getfixturevalue("postgres_url"))
        made = World(folder, backend, database_url=database, redis_url=request.getfixturevalue("redis_url"))
    try:
        made.start()
        yield made
    finally:
        made.close()
        print((folder / "log.txt").read_text(errors="replace")[-4000:])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Of each backend the stories come first: whoever is alone then waits for nobody while his time is taken."""

    for item in items:
        if item.path.parent == HERE and not any(item.iter_markers("timeout")):
            item.add_marker(pytest.mark.timeout(MAY_TAKE_S))

    def place(item: Any) -> tuple[bool, bool]:
        return item.callspec.params["world"] != "sqlite", not is_story(item)

    flows = [at for at, item in enumerate(items) if "world" in getattr(item, "fixturenames", ())]
    for at, item in zip(flows, sorted((items[at] for at in flows), key=place), strict=True):
        items[at] = item


@pytest.fixture(scope="session")
def troupe(request: pytest.FixtureRequest, world: World) -> Iterator[Troupe]:
    """Plays the stories of a backend beside each other."""
    selected: list[Any] = [item for item in request.session.items if is_story(item)]
    made = Troupe(world, [item for item in selected if item.callspec.params["world"] == world.backend])
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _alone_or_together(request: pytest.FixtureRequest, troupe: Troupe) -> None:
    """Whoever is no story has the world to itself."""
    if not is_story(request.node):
        troupe.rest()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: Any) -> bool | None:
    """A test marked `story` is played with all the others; its own outcome is what is reported."""
    if not is_story(pyfuncitem):
        return None
    pyfuncitem.funcargs["troupe"].outcome_of(pyfuncitem)
    return True
