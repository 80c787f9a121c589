"""Carrying out an accept that was claimed: ask at once, write down what was answered, conclude no more than that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from callops.calls.kinds import Kind
from callops.calls.words import Lane
from callops.core.database import in_db
from callops.sideband import acceptance
from callops.sideband.acceptance import Decision

RETRY_S = 0.2
CONFLICT = 409


class Answer(Protocol):
    """How an exchange with OpenAI ended, as the provider's room tells it."""

    @property
    def status(self) -> int | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def is_ok(self) -> bool: ...
    @property
    def is_lost(self) -> bool: ...
    @property
    def is_busy(self) -> bool: ...
    def body(self) -> dict[str, Any]: ...


Accept = Callable[[str, Mapping[str, Any]], Awaitable[Answer]]


async def carry_out(decision: Decision, *, accept: Accept, clock: Callable[[], datetime]) -> None:
    """The accept was sent (once more when the provider was busy) and its answer is on the timeline."""
    answer = await accept(decision.ai_call_id, decision.payload)
    if answer.is_busy:
        await asyncio.sleep(RETRY_S)
        answer = await accept(decision.ai_call_id, decision.payload)
    await in_db(_write_down)(decision, answer, clock())


def _write_down(decision: Decision, answer: Answer, at: datetime) -> None:
    """A conflict means that a decision was made, by us before we died or by another: the sideband will tell."""
    if answer.is_ok or answer.status == CONFLICT:
        acceptance.accepted(decision.session_id, at=at, kind=Kind.OPENAI_ACCEPT_ANSWERED, body=answer.body())
    elif answer.is_lost:
        acceptance.accepted(decision.session_id, at=at, kind=Kind.OPENAI_ACCEPT_UNANSWERED, body=answer.body())
    else:
        _refused(decision, answer, at)


def _refused(decision: Decision, answer: Answer, at: datetime) -> None:
    ours = answer.reason == "unfit"
    body = answer.body()
    acceptance.refused(
        decision.session_id,
        at=at,
        kind=Kind.US_ACCEPT_HELD_BACK if ours else Kind.OPENAI_ACCEPT_ANSWERED,
        lane=Lane.US if ours else Lane.OPENAI,
        body={**body, "cause": "unfit", "why": body["message"]} if ours else body,
    )
