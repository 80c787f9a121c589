"""One attempt in hand for a transaction: what is known of it is read once, and what changed is written once.

Its call is locked before it, and whoever adds evidence, moves a leg or takes a step locks the call: what was read stays
true until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import msgspec

from callops.calls.models import Call, Leg
from callops.calls.words import Role, Topology
from callops.core import bulk, few_rows
from callops.core.text import storable
from callops.transfers.models import Evidence, TransferAttempt
from callops.transfers.verdict import Fact, FactKind

KNOWN = frozenset(FactKind)
"""A newer version may have written kinds that this one cannot judge."""
EVIDENCE = tuple(field.name for field in Evidence._meta.concrete_fields)
LEG = tuple(field.name for field in Leg._meta.concrete_fields)
FIELDS = [(field.name, field.attname) for field in TransferAttempt._meta.concrete_fields]


class Held:
    """The attempt; its evidence and its call's legs as soon as somebody asks for them."""

    def __init__(self, attempt: TransferAttempt) -> None:
        self.attempt = attempt
        self._stored = _values(attempt)

    @cached_property
    def evidence(self) -> list[Evidence]:
        """All of it, in its order."""
        rows = few_rows.rows(Evidence, EVIDENCE, attempt=self.attempt.pk)
        return sorted(rows, key=lambda each: (each.at, each.pk))

    @cached_property
    def legs(self) -> list[Leg]:
        """The legs of the call."""
        return few_rows.rows(Leg, LEG, call=self.attempt.call_id)

    @property
    def facts(self) -> list[Fact]:
        """All evidence as the judge takes it."""
        return [Fact(FactKind(row.kind), row.at, row.detail) for row in self.evidence if row.kind in KNOWN]

    @property
    def is_steerable(self) -> bool:
        """Whether the carrier can be asked to move this caller."""
        return can_be_steered(self.attempt.call, self.legs)

    @property
    def ai_leg_is_over(self) -> bool:
        """Whether the carrier said that the AI's leg has ended."""
        return any(leg.sid == self.attempt.call.ai_leg_sid and leg.is_over for leg in self.legs)

    def add(self, row: Evidence) -> None:
        """The evidence is kept, once."""
        if any((known.kind, known.event_id) == (row.kind, row.event_id) for known in self.evidence):
            return
        row.detail = msgspec.json.decode(msgspec.json.encode(storable(row.detail)))  # as whoever reads it finds it
        told = {"kind": row.kind, "witness": row.witness, "at": row.at, "event": row.event_id, "detail": row.detail}
        bulk.add(Evidence, {"attempt": row.attempt_id, **told})
        self.evidence.append(row)
        self.evidence.sort(key=lambda each: each.at)

    def begin(self) -> None:
        """The attempt has a row."""
        self._stored = _values(self.attempt)
        bulk.add(TransferAttempt, self._stored)
        self.attempt._state.adding = False

    def save(self) -> None:
        """What was changed in hand is in the attempt's row."""
        now = _values(self.attempt)
        if changed := {name: value for name, value in now.items() if value != self._stored[name]}:
            bulk.change(TransferAttempt, self.attempt.pk, changed)
            self._stored = now


def can_be_steered(call: Call, legs: Iterable[Leg]) -> bool:
    """Whether the caller's own leg is known from the carrier's signed request: never a child, never a trunk's SID."""
    if call.topology == Topology.TRUNK or not call.carrier_sid:
        return False
    return any(leg.sid == call.carrier_sid and leg.role == Role.CALLER and not leg.parent_sid for leg in legs)


def _values(attempt: TransferAttempt) -> dict[str, Any]:
    return {name: getattr(attempt, attname) for name, attname in FIELDS}
