"""Everybody around one call, moved one named step at a time: `moves` says what may happen next, `do` lets it happen.

A walk is a list of such names, so a counterexample can be kept as text and walked again.

Two assumptions about time, without which no protocol could keep its promises: a process that is alive works off what
is due before the clock goes on (a paused process is a dead one here), and nobody picks up a phone while a redirect
that was claimed is still on its way (the carrier takes a request faster than a human answers; contract Twilio 3.3).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain

from callops.calls.models import Call
from callops.calls.words import EndedBy
from callops.engine.deadlines import END_AGAIN
from callops.transfers.models import TransferAttempt
from tests.rows import NOON, make_destination, make_line
from tests.street import people, providers
from tests.street.carrier import CALLER_SID, TICK, Street
from tests.street.engine import Engine
from tests.street.jobs import Exchange, Seam, Work
from tests.street.legs import Delivery, Dial, Hold, Wait

Act = Callable[[], object]


@dataclass
class Budget:
    """How often a walk may take what could be taken for ever."""

    transfers: int = 0
    cancels: int = 1
    deaths: int = 1
    faults: int = 2
    """Answers of providers that say no or stay away, and answers of ours that are lost on the way."""
    departures: int = 1
    """Callers, AIs and operators who end something."""


CALL_CLOCKS = ("end_wish", "hangup_asked_at", "carrier_check_at", "webhook_due_at")
NOTHING = Budget(transfers=0, cancels=0, deaths=0, faults=0, departures=0)


@dataclass
class World:
    """The street, the engines, and what the walk may still spend."""

    budget: Budget = field(default_factory=Budget)
    policies: tuple[str, ...] = ("refer_then_redirect",)
    street: Street = field(default_factory=Street)
    engines: list[Engine] = field(default_factory=lambda: [Engine("a")])
    walked: list[str] = field(default_factory=list)
    started: int = 1
    excuses: set[str] = field(default_factory=set)
    """What a provider or a person did that may keep the transfer, or the operator, from their end."""
    session: int | None = None
    """The AI's session whose socket is held."""
    _possible: dict[str, Act] | None = None
    _clocks: list[datetime] | None = None

    def begin(self, policy: str | None = None) -> World:
        """A line with two destinations, a caller who talks to the AI, and a transfer somebody asked for."""
        second = make_destination("oncall", uri="tel:+15550112", label="On call")
        first = make_destination("frontdesk", uri="tel:+15550111", label="Front desk", next=second)
        make_line(fallback=first)
        self.street.rings()
        self.street.deliver(self.street.queue[0])
        self.budget.transfers += 1
        self.walk("AI answers", "deliver ai in-progress", f"operator asks {policy or self.policies[0]}")
        self.walked.clear()
        return self

    def moves(self) -> dict[str, Act]:
        """What may happen next, by name; of two alike the older one."""
        if self._possible is None:
            found: dict[str, Act] = {}
            for name, act in chain(self._deliveries(), self._engines(), people.moves(self), self._exchanges()):
                found.setdefault(name, act)
            self._possible = found | dict(self._time(found))
        return self._possible

    def do(self, name: str) -> None:
        """That happened, and a moment passed."""
        act = self.moves()[name]
        self.walked.append(name)
        self.street.now += TICK
        act()
        self._possible = self._clocks = None

    def walk(self, *names: str) -> None:
        """All of that happened, in this order."""
        for name in names:
            self.do(name)

    def grant(self, budget: Budget) -> None:
        """From now on the walk has only this to spend."""
        self.budget = copy.copy(budget)
        self._possible = self._clocks = None

    def again(self) -> World:
        """The same world, independent of this one (its rows are the caller's to keep by a savepoint)."""
        twin = copy.copy(self)
        twin.budget, twin.street = copy.copy(self.budget), copy.deepcopy(self.street)
        twin.engines = [engine.again() for engine in self.engines]
        twin.walked, twin.excuses, twin._possible = list(self.walked), set(self.excuses), None
        twin._clocks = None
        return twin

    def end(self) -> None:
        """Nobody goes on in this world."""
        for engine in self.engines:
            engine.die()

    @property
    def now(self) -> datetime:
        return self.street.now

    @property
    def call(self) -> Call:
        return Call.objects.get(carrier_sid=CALLER_SID)

    def seams(self) -> Iterator[tuple[Engine, Seam]]:
        """Where every process waits, oldest first."""
        for engine in self.engines:
            for seam in list(engine.seams.values()):
                yield engine, seam

    # The carrier's requests.

    def _deliveries(self) -> Iterator[tuple[str, Act]]:
        for delivery in self.street.deliverable():
            yield f"deliver {delivery.label}", partial(self.street.deliver, delivery)
            if self.budget.faults and delivery.heard:
                yield f"deliver {delivery.label}, answer lost", partial(self._unheard, delivery)

    def _unheard(self, delivery: Delivery) -> None:
        self.budget.faults -= 1
        self.street.deliver(delivery, lose_answer=True)

    # Our processes.

    def _engines(self) -> Iterator[tuple[str, Act]]:
        is_due = any(at <= self.now for at in self.clocks())
        for engine in self.engines:
            if is_due and engine.wanted(self.now):
                yield f"{engine.name} looks", partial(self._look, engine)
            if self.budget.deaths:
                yield f"{engine.name} dies", partial(self._dies, engine)
        for engine, seam in self.seams():
            if isinstance(seam.what, Work):
                yield f"{engine.name}: {seam.job} runs {seam.what.name}", partial(self._work, engine, seam)
        if not self.engines:
            yield "another starts", self._starts

    def _look(self, engine: Engine) -> None:
        engine.look(self.now)

    def _work(self, engine: Engine, seam: Seam) -> None:
        engine.work(seam.number, self.now)

    def _dies(self, engine: Engine) -> None:
        self.budget.deaths -= 1
        engine.die()
        self.engines.remove(engine)

    def _starts(self) -> None:
        self.engines.append(Engine("abcdefgh"[self.started % 8]))
        self.started += 1

    # The providers' answers.

    def _exchanges(self) -> Iterator[tuple[str, Act]]:
        for engine, seam in self.seams():
            if isinstance(seam.what, Exchange):
                for how, act in providers.answers(self, seam.what):
                    yield f"{engine.name}: {seam.job} {seam.what.verb} {how}", partial(self._answer, engine, seam, act)

    def _answer(self, engine: Engine, seam: Seam, act: Act) -> None:
        told = act()
        if told is not None:
            engine.answer(seam.number, self.now, told)

    # The clock.

    def _time(self, others: Iterable[str]) -> Iterator[tuple[str, Act]]:
        """A living process works off what is due before time passes, and a document is fetched at once."""
        is_busy = any(" looks" in name or " runs " in name for name in others)
        if not is_busy and not isinstance(self.street.doing, Wait):
            due = self.next_deadline()
            if due is not None:
                yield "time passes", partial(self.pass_to, due)

    def next_deadline(self) -> datetime | None:
        """The next moment for which anybody waits."""
        return min((at for at in self._deadlines() if at > self.now), default=None)

    def _deadlines(self) -> Iterator[datetime]:
        doing = self.street.doing
        if isinstance(doing, Hold):
            yield doing.until
        if isinstance(doing, Dial) and not doing.child.bridged:
            yield doing.rings_until
        for _, seam in self.seams():
            if isinstance(seam.what, Exchange):
                yield seam.what.lost_at
        yield from self.clocks()

    def clocks(self) -> list[datetime]:
        """When our own rows say that something is due, passed or to come."""
        if self._clocks is None:
            dues = list(TransferAttempt.objects.order_by().values_list("due_at", flat=True))
            wish, asked_at, *others = Call.objects.order_by().values_list(*CALL_CLOCKS).get()
            if wish == EndedBy.OPERATOR:
                dues.append(asked_at + END_AGAIN if asked_at else NOON)
            self._clocks = [at for at in (*dues, *others) if at is not None]
        return self._clocks

    def pass_to(self, due: datetime) -> None:
        """It is then; what waited for nothing else happens: a phone stops ringing, a question is given up."""
        self.street.now = due + TICK
        self._possible = self._clocks = None
        doing = self.street.doing
        if isinstance(doing, Dial) and not doing.child.bridged and self.now >= doing.rings_until:
            self.street.child_ends("no-answer")
        for engine, seam in self.seams():
            if isinstance(seam.what, Exchange) and self.now >= seam.what.lost_at:
                self._answer(engine, seam, partial(providers.silence, seam.what))
