"""How far an open transfer is, step by step, as its own row tells it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callops.transfers.commands import ASSISTANT
from callops.transfers.models import TransferAttempt

SHAPES = {"done": "check", "now": "half", "wait": "ring", "missed": "dashed"}


@dataclass(frozen=True, slots=True)
class MoveStep:
    """One step: `state` is done, now, wait, or missed (it was asked and did not come in time)."""

    words: str
    state: str
    at: datetime | None = None

    @property
    def shape(self) -> str:
        return SHAPES[self.state]


def under_way_by(attempt: TransferAttempt) -> str:
    """Whose transfer keeps the buttons shut for everybody else."""
    if attempt.requested_by == ASSISTANT:
        return "The assistant is moving this caller."
    return f"{attempt.requested_by} is moving this caller."


def steps_of(attempt: TransferAttempt) -> list[MoveStep]:
    """The steps taken, the one that is awaited now, and those that are still to come."""
    steps = [MoveStep(f"Asked by {attempt.requested_by}", "done", attempt.requested_at)]
    if attempt.refer_asked_at:
        steps.append(MoveStep("REFER asked of OpenAI", "done", attempt.refer_asked_at))
        steps.append(_arrival(attempt))
    if attempt.redirect_asked_at:
        steps.append(MoveStep("Redirect asked of Twilio", "done", attempt.redirect_asked_at))
    steps.append(_step(f"Twilio rings {attempt.target_label}", attempt.document_fetched_at))
    steps.append(_step(f"{attempt.target_label} is connected", attempt.human_connected_at))
    return _with_one_now(steps)


def _arrival(attempt: TransferAttempt) -> MoveStep:
    if attempt.refer_seen_at:
        return MoveStep("The carrier has seen the REFER", "done", attempt.refer_seen_at)
    passed_over = attempt.redirect_asked_at or attempt.document_fetched_at
    return MoveStep("The carrier sees the REFER", "missed" if passed_over else "wait")


def _step(words: str, at: datetime | None) -> MoveStep:
    return MoveStep(words, "done" if at else "wait", at)


def _with_one_now(steps: list[MoveStep]) -> list[MoveStep]:
    """The first step that did not come yet is the one being waited for."""
    first = next((index for index, each in enumerate(steps) if each.state == "wait"), None)
    if first is None:
        return steps
    return [*steps[:first], MoveStep(steps[first].words, "now"), *steps[first + 1 :]]
