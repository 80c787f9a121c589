"""The search: the fair walk of a story, and every walk that leaves it a few times, each to its end.

A walk leaves the fair one when something else happens first: a late delivery, a fault, a death, a change of mind.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from django.db import transaction

from tests.street.likeness import likeness
from tests.street.promises import PATIENCE, Broken, check, check_end, fair_move
from tests.street.world import World


@dataclass
class Search:
    """All walks with at most so many departures from the fair one; `found` holds what broke a promise."""

    known: dict[Hashable, tuple[int, int]] = field(default_factory=dict)
    """Places by likeness: with how many departures left they were searched, and on which walk."""
    found: dict[str, Broken] = field(default_factory=dict)
    steps: int = 0
    ends: int = 0
    walks: int = 0

    def walk(self, world: World, departures: int) -> None:
        """From here on every walk with at most so many departures keeps the promises, or is found."""
        self.walks += 1
        walk = self.walks
        for _ in range(PATIENCE):
            if self._is_known(world, departures, walk):
                return
            fair = fair_move(world)
            if departures:
                for other in [move for move in world.moves() if move != fair]:
                    self._try(world, other, departures - 1)
            if fair is None:
                self._try_end(world)
                return
            if not self._step(world, fair):
                return
        self._keep(Broken("This never comes to rest.\n" + "\n".join(world.walked)))

    def _try(self, world: World, move: str, departures: int) -> None:
        """That walk is walked in a world of its own, and everything is as it was."""
        here = transaction.savepoint()
        twin = world.again()
        if self._step(twin, move):
            self.walk(twin, departures)
        twin.end()
        transaction.savepoint_rollback(here)

    def _step(self, world: World, move: str) -> bool:
        self.steps += 1
        try:
            world.do(move)
            check(world)
        except Broken as broken:
            self._keep(broken)
            return False
        return True

    def _try_end(self, world: World) -> None:
        here = transaction.savepoint()
        self.ends += 1
        twin = world.again()
        try:
            check_end(twin)
        except Broken as broken:
            self._keep(broken)
        twin.end()
        transaction.savepoint_rollback(here)

    def _keep(self, broken: Broken) -> None:
        promise = str(broken).partition("\n")[0]
        if promise not in self.found or len(str(broken)) < len(str(self.found[promise])):
            self.found[promise] = broken

    def _is_known(self, world: World, departures: int, walk: int) -> bool:
        """Whether another walk came here before with as many departures left; a walk is never its own predecessor."""
        place = likeness(world)
        left, whose = self.known.get(place, (-1, walk))
        if whose != walk and left >= departures:
            return True
        self.known[place] = (max(left, departures), walk)
        return False
