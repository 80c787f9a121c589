"""How many of those who wait an engine takes now."""

from __future__ import annotations

import pytest

from callops.sideband.sharing import House, how_many


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({"engines": 1, "waiting_s": [0.1] * 10}, 10),
        ({"engines": 2, "waiting_s": [0.1] * 10}, 5),
        ({"mine": 5, "everybodys": 5, "engines": 2, "waiting_s": [0.1] * 5}, 0),
        ({"mine": 0, "everybodys": 5, "engines": 2, "waiting_s": [0.1]}, 1),
        ({"mine": 5, "everybodys": 5, "engines": 2, "waiting_s": [1.5, 0.1]}, 1),
        ({"engines": 1, "capacity": 4, "waiting_s": [2.0] * 10}, 4),
        ({"mine": 4, "everybodys": 4, "engines": 1, "capacity": 4, "waiting_s": [3.5, 2.0]}, 1),
        ({"engines": 0, "waiting_s": [0.1]}, 1),
        ({"engines": 3, "waiting_s": []}, 0),
    ],
    ids=[
        "alone: all of them",
        "two engines: half each",
        "who has more than the share leaves new calls to the other",
        "the emptier one takes a new call",
        "what nobody took for a second is anybody's",
        "a full engine stops at its capacity",
        "but nobody waits three seconds because all are full",
        "an engine that was not counted yet counts itself",
        "nobody waits",
    ],
)
def test_each_takes_its_share_and_nobody_is_left_waiting(fields: dict, taken: int) -> None:
    assert how_many(House(**{"mine": 0, "everybodys": 0, "capacity": 100, **fields})) == taken
