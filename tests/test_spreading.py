"""The flows of one backend are played by one worker, and nothing else is tied together."""

from __future__ import annotations

import pytest

from tests.spreading import world_of


@pytest.mark.parametrize(
    ("nodeid", "world"),
    [
        ("tests/flows/test_calls.py::test_a[sqlite]", "sqlite"),
        ("tests/flows/test_calls.py::test_a[busy-postgres]", "postgres"),
        ("tests/flows/test_calls.py::test_a[postgres-busy]", "postgres"),
        ("tests/flows/test_soak.py::test_a[postgres]", "postgres"),
        ("tests/deploy/test_backup.py::test_a[sqlite]", None),
        ("tests/flows/test_calls.py::test_unit", None),
    ],
)
def test_a_flow_belongs_to_its_world(nodeid: str, world: str | None) -> None:
    assert world_of(nodeid) == world
