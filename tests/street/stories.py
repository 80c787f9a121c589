"""Stories: the fair walk, on which a few things are wished to happen as soon as they can."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from tests.street.promises import PATIENCE, check, fair_move, keep
from tests.street.world import World


@dataclass
class Story:
    """A world and the words of moves that are taken, one after the other, as soon as they may."""

    world: World
    wishes: list[str] = field(default_factory=list)

    def next_move(self, moves: Collection[str] = ()) -> str | None:
        """The wished move when it may happen, else the fair one; None at rest."""
        moves = moves or self.world.moves()
        wished = next((move for move in moves if self.wishes and self.wishes[0] in move), None)
        return wished or fair_move(self.world, moves)

    def step(self) -> str | None:
        """One move of the story was made; None when it is at rest."""
        move = self.next_move()
        if move is not None:
            self._make(move)
        return move

    def _make(self, move: str) -> None:
        if self.wishes and self.wishes[0] in move:
            self.wishes.pop(0)
        self.world.do(move)
        check(self.world)

    def to_the_end(self) -> Story:
        """The story was told to its end."""
        for _ in range(PATIENCE):
            if self.step() is None:
                return self
        keep(self.world, False, "This never comes to rest.")
        return self

    def kill(self) -> None:
        """Every process is dead."""
        self.world.end()
        self.world.engines.clear()
        self.world.walked.append("everything dies")

    def alone_for(self, seconds: float) -> None:
        """So long nobody works: the carrier and the people go on without us, deadlines pass."""
        until = self.world.now + timedelta(seconds=seconds)
        while self.world.now < until:
            moves = [move for move in self.world.moves() if move != "another starts"]
            move = self.next_move(moves)
            if move is None or move == "time passes":
                self.world.pass_to(min(filter(None, (self.world.next_deadline(), until))))
            else:
                self._make(move)

    @contextmanager
    def aside(self) -> Iterator[Story]:
        """The same story from here in a world of its own; afterwards everything is as it was."""
        here = transaction.savepoint()
        other = Story(self.world.again(), list(self.wishes))
        yield other
        other.world.end()
        transaction.savepoint_rollback(here)
