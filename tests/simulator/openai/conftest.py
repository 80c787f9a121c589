"""A stage for every test of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.simulator.openai.theatre import Theatre, open_theatre


@pytest.fixture
async def theatre() -> AsyncIterator[Theatre]:
    async with open_theatre() as made:
        yield made
