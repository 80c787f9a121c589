"""Who needs somebody: why, how badly, and the one best thing to do about it. Pure.

What a caller suffers from right now comes first: nobody is there, or nobody speaks. Then what may become that, then
what waits for a decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from callops.calls.models import Call
from callops.calls.words import Session, State
from callops.dashboard.phrases import FAILURES, LOST, SAID_NOT_DONE, cap, is_broken
from callops.sideband.glance import WELL, Standing
from callops.sideband.quiet import Silence
from callops.transfers.models import Approval, Mechanism, TransferAttempt


class Rank(IntEnum):
    """How urgent it is; the lowest stands first."""

    ALONE = 0
    AT_RISK = 1
    WAITING = 2


@dataclass(frozen=True, slots=True)
class Need:
    """Why somebody should look at a call, and the best act: its word, and where on the call's page it is done."""

    why: str
    rank: Rank
    act: str = "Open"
    place: str = "verdict"


def need(
    call: Call,
    attempt: TransferAttempt | None,
    now: datetime,
    standing: Standing = WELL,
    approval: Approval | None = None,
) -> Need | None:
    """The most urgent reason to look at this call now; None when nobody need.

    `attempt` is its last transfer, `standing` how its line is, `approval` a wish that waits for a second person.
    """
    if call.is_over:
        return None
    if attempt and (found := _transfer_need(attempt, with_human=call.state == State.WITH_HUMAN)):
        return found
    if approval is not None and approval.is_open(now):
        why = f"{approval.asked_by} wants to send the caller to an address that is not in the directory."
        return Need(why, Rank.WAITING, "Decide", "commands")
    if call.state == State.WITH_HUMAN:
        return None
    return _session_need(call) or _line_need(standing, attempt) or _webhook_need(call, now)


def _transfer_need(attempt: TransferAttempt, *, with_human: bool) -> Need | None:
    if attempt.is_open:
        if not (attempt.refer_asked_at and attempt.mechanism == Mechanism.UNKNOWN):
            return None
        redirecting = " The redirect is on its way." if attempt.redirect_asked_at else ""
        why = f"A REFER to {attempt.target_label} was asked for; the carrier has not carried it out.{redirecting}"
        return Need(why, Rank.AT_RISK, "Watch")
    if with_human or attempt.outcome not in LOST:
        return None
    return Need(LOST[attempt.outcome].format(label=attempt.target_label), Rank.ALONE, "Try again", "commands")


def _session_need(call: Call) -> Need | None:
    if call.ai_left_at and (call.ai_dialled_at is None or call.ai_left_at > call.ai_dialled_at):
        return Need("The assistant's leg ended by itself; the caller is being led on.", Rank.AT_RISK, "Watch")
    if call.ai_session == Session.RECONNECTING:
        return Need("We lost the connection to the assistant and are reconnecting.", Rank.AT_RISK, "Watch")
    if call.failure_stage:
        return Need(FAILURES[call.failure_stage], Rank.ALONE, "Watch")
    return None


def _line_need(standing: Standing, attempt: TransferAttempt | None) -> Need | None:
    if is_broken(standing, attempt):
        return Need(SAID_NOT_DONE, Rank.ALONE, "Transfer", "commands")
    if standing.silence == Silence.DEAD_AIR:
        why = "Dead air: neither side makes a sound, and the assistant does not answer."
        return Need(why, Rank.ALONE, "Transfer", "commands")
    if why := cap(standing):
        return Need(why, Rank.WAITING, "Transfer", "commands")
    return None


def _webhook_need(call: Call, now: datetime) -> Need | None:
    if call.webhook_due_at and call.webhook_due_at < now and not call.ai_call_id:
        return Need("The AI was dialled, but OpenAI has not announced the call.", Rank.ALONE, "Watch")
    return None
