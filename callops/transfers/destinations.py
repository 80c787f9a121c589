"""Whom a transfer rings, one after the other: the destination, then its `next`, and so on."""

from __future__ import annotations

from dataclasses import dataclass

from callops.calls.models import Destination
from callops.transfers.models import TransferAttempt

MAX_STEPS = 5


@dataclass(frozen=True, slots=True)
class Target:
    """Where one dial goes and what it is called on the screen."""

    uri: str
    label: str
    screened: bool = False
    """Whoever answers must press 1 before the caller is there."""


def first_target(attempt: TransferAttempt) -> Target:
    """Whom the transfer rings first, as it was when it was asked for."""
    return Target(attempt.target_uri, attempt.target_label, attempt.target_screened)


def target_at(attempt: TransferAttempt, step: int) -> Target | None:
    """The target of one step, counted from 0; None when nobody is left to ring."""
    if step == 0:
        return first_target(attempt)
    return chain_at(attempt.destination, step)


def chain_of(first: Destination | None) -> list[Target]:
    """Everybody who is rung for it, one after the other."""
    chain = (chain_at(first, step) for step in range(MAX_STEPS + 1))
    return [target for target in chain if target is not None]


def chain(attempt: TransferAttempt) -> list[Target]:
    """Everybody the transfer may ring, in order."""
    found = (target_at(attempt, step) for step in range(MAX_STEPS + 1))
    return [target for target in found if target is not None]


def chain_at(first: Destination | None, step: int) -> Target | None:
    """The destination `step` links behind `first`; None past the end, and past `MAX_STEPS` should it be a circle."""
    current = first
    for _ in range(step):
        current = current.next if current else None
    if current is None or step > MAX_STEPS:
        return None
    return Target(current.uri, current.label, current.screen)
