"""The words, shapes and colours of states, and the sentences of policies, failures and needs. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from callops.alerts.fates import Fate
from callops.alerts.models import Incident, Sign
from callops.calls.models import Call
from callops.calls.words import FailureStage, Policy, Session, State, Topology
from callops.sideband import linking
from callops.sideband.glance import Standing
from callops.transfers.breaker import Decision, Position
from callops.transfers.models import Mechanism, Outcome, TransferAttempt


@dataclass(frozen=True, slots=True)
class Chip:
    """A state as the pages show it: word first, then shape, then colour (`tone`)."""

    word: str
    shape: str
    tone: str


CALL_CHIPS: dict[str, Chip] = {
    State.RINGING: Chip("ringing", "ring", "waiting"),
    State.CONNECTING: Chip("connecting", "half", "waiting"),
    State.LIVE: Chip("live", "dot", "talking"),
    State.TRANSFERRING: Chip("transferring", "arrow", "look"),
    State.WITH_HUMAN: Chip("with human", "check", "proven"),
    State.ENDED: Chip("ended", "square", "waiting"),
}
MECHANISM_CHIPS: dict[str, Chip] = {
    Mechanism.REFER: Chip(Mechanism.REFER.label, "check", "proven"),
    Mechanism.REDIRECT: Chip(Mechanism.REDIRECT.label, "check", "proven"),
    Mechanism.DIAL_ACTION: Chip(Mechanism.DIAL_ACTION.label, "check", "proven"),
    Mechanism.NONE: Chip(Mechanism.NONE.label, "square", "waiting"),
    Mechanism.UNKNOWN: Chip(Mechanism.UNKNOWN.label, "dashed", "unproven"),
}
OUTCOME_CHIPS: dict[str, Chip] = {
    Outcome.PENDING: Chip("under way", "half", "waiting"),
    Outcome.CONNECTED: Chip("connected", "check", "proven"),
    Outcome.NO_ANSWER: Chip("no answer", "cross", "failed"),
    Outcome.BUSY: Chip("busy", "cross", "failed"),
    Outcome.FAILED: Chip("failed", "cross", "failed"),
    Outcome.CALLER_LEFT: Chip("caller left", "square", "waiting"),
    Outcome.CANCELLED: Chip("cancelled", "square", "waiting"),
    Outcome.UNKNOWN: Chip("not known", "dashed", "unproven"),
}
BREAKER_CHIPS: dict[str, Chip] = {
    Position.CLOSED: Chip("closed: REFER first", "check", "proven"),
    Position.OPEN: Chip("open: redirect first", "triangle", "look"),
    Position.HALF_OPEN: Chip("half open: a probe is due", "half", "look"),
}
FAILURES: dict[str, str] = {
    FailureStage.SIP_REJECTED: "The AI's SIP side refused the call, so nobody was there to answer it.",
    FailureStage.WEBHOOK_MISSING: "OpenAI never announced the call to us, so the AI could not be told to answer.",
    FailureStage.ACCEPT_REFUSED: "OpenAI refused our accept, so the AI never answered.",
    FailureStage.ACCEPTED_BUT_DEAD: "OpenAI accepted the call, but its session never opened.",
    FailureStage.CALLER_LEFT: "The caller hung up before anything was said.",
    FailureStage.OUR_FAULT: "Our own fault kept the caller from the AI.",
}
WHOSE_FAULT: dict[str, str] = {
    FailureStage.SIP_REJECTED: "OpenAI's, unless the project id or the SIP address we dial is wrong.",
    FailureStage.WEBHOOK_MISSING: "OpenAI's, unless its webhook cannot reach us or our door refuses it.",
    FailureStage.ACCEPT_REFUSED: "OpenAI's when its answer is 5xx or 429; ours when it is any other 4xx.",
    FailureStage.ACCEPTED_BUT_DEAD: "OpenAI's, unless the settings of this line are ones it does not take.",
    FailureStage.CALLER_LEFT: "Nobody's in particular: the caller did not wait until the AI answered.",
    FailureStage.OUR_FAULT: "Ours: what we would have sent was not fit to send, or nothing was set up for this number.",
}
WHAT_NEXT: dict[str, str] = {
    FailureStage.SIP_REJECTED: "Call back if other calls get through; else check the project id and tell OpenAI.",
    FailureStage.WEBHOOK_MISSING: "Check the webhook's address and secret, and the count of requests our door refused.",
    FailureStage.ACCEPT_REFUSED: "Read OpenAI's answer in the deciding event; correct the line's settings or the key.",
    FailureStage.ACCEPTED_BUT_DEAD: "Try the line with its plainest settings; if that fails too, tell OpenAI.",
    FailureStage.CALLER_LEFT: "Call back; when many leave, look how long OpenAI takes to announce and answer calls.",
    FailureStage.OUR_FAULT: "Read why in the deciding event, correct the line in the directory, and call back.",
}
TROUBLES: dict[str, str] = {
    FailureStage.SIP_REJECTED: "OpenAI refuses calls before its webhook",
    FailureStage.WEBHOOK_MISSING: "OpenAI does not announce calls to us",
    FailureStage.ACCEPT_REFUSED: "OpenAI refuses our accepts",
    FailureStage.ACCEPTED_BUT_DEAD: "OpenAI accepts calls, but no session opens",
    FailureStage.CALLER_LEFT: "Callers leave before any voice",
    FailureStage.OUR_FAULT: "Our own fault keeps callers from the AI",
    Sign.OPENAI_WEBHOOK: "OpenAI has sent no webhook we could believe",
    Sign.TWILIO_REQUEST: "Twilio has called nothing of ours",
    Sign.ENGINE: "No engine is running: nobody listens to calls or carries out transfers",
}
"""What an incident is, as a sentence without its end."""
FATE_CHIPS: dict[str, Chip] = {
    Fate.RESCUED: Chip("rescued", "check", "proven"),
    Fate.LOST: Chip("lost", "cross", "failed"),
    Fate.UNDER_WAY: Chip("under way", "half", "waiting"),
}
HALVES: dict[str, str] = {linking.CARRIER: "no carrier leg known", linking.AI: "no AI call known"}
SAID_NOT_DONE = "The assistant said it is transferring; nothing was started."
LOST: dict[str, str] = {
    Outcome.NO_ANSWER: "{label} did not answer.",
    Outcome.BUSY: "{label} was busy.",
    Outcome.FAILED: "The transfer to {label} failed.",
    Outcome.UNKNOWN: "Nobody knows whether the caller reached {label}. Look, and decide.",
}

DOUBT = "The redirect's answer was lost. Twilio is being asked whether it took effect."


@dataclass(frozen=True, slots=True)
class Again:
    """What can be tried after a transfer that brought nobody; `redirect`: by a redirect alone this time."""

    words: str
    redirect: bool

    @property
    def button(self) -> str:
        return "Redirect instead" if self.redirect else "Try again"


def trouble(incident: Incident) -> str:
    """What an incident is: the title a person gave it, else a sentence without its end."""
    return incident.title or TROUBLES.get(incident.subject, incident.subject)


def work_chip(incident: Incident) -> Chip:
    """Whether somebody has seen to it."""
    if incident.resolved_at:
        return Chip("resolved", "tick", "proven")
    if incident.acknowledged_at:
        return Chip("acknowledged", "dot", "talking")
    return Chip("nobody has seen it", "triangle", "look")


def incident_chip(incident: Incident) -> Chip:
    """Whether it is over; while it is not, red when something stays away or most calls fail, else amber."""
    if incident.is_by_hand and not incident.closed_at:
        return Chip("open", "triangle", "look")
    if incident.closed_at:
        return Chip("over", "square", "waiting")
    grave = bool(incident.about) or incident.failed * 2 >= incident.calls
    return Chip("open", "cross", "failed") if grave else Chip("open", "triangle", "look")


def call_chip(call: Call) -> Chip:
    """The call's state; a call that never reached the AI, or whose AI is being sought again, shows that first."""
    if call.is_over and call.failure_stage:
        return Chip("ended", "cross", "failed")
    if call.state == State.LIVE and call.ai_session == Session.RECONNECTING:
        return Chip("reconnecting", "triangle", "look")
    return CALL_CHIPS[call.state]


def half(call: Call) -> str:
    """Which half of the call is not known, in words; nothing when both are, one is awaited, or one was refused."""
    if call.failure_stage == FailureStage.SIP_REJECTED:
        return ""
    return HALVES.get(linking.missing_half(call), "")


def plan(policy: str, topology: str, deadline_s: float, target: str = "", breaker: Decision | None = None) -> str:
    """What a transfer on this line will do, step by step; `breaker`: where it stands, if the transfer asks it."""
    who = target or "the human"
    if topology == Topology.TRUNK:
        return (
            "A trunk call cannot be steered by the carrier: REFER only, and there is no fallback. "
            "Only a REFER can move this caller, and the carrier may never show whether one arrived. "
            f"If nothing is seen after {deadline_s:.1f} s, you decide what happens next."
        )
    at_once = f"The carrier is told to move the caller at once and rings {who}."
    if policy == Policy.REDIRECT_ONLY:
        return at_once
    if breaker and breaker.position == Position.OPEN:
        return f"{breaker.because}: the redirect goes first. {at_once}"
    asked = f"OpenAI is asked for a REFER; the carrier then rings {who}."
    if breaker and breaker.position == Position.HALF_OPEN:
        asked = f"{breaker.because}; this one is a probe: REFER first. {asked}"
    if policy == Policy.REFER_ONLY:
        return f"{asked} If the carrier has not seen it after {deadline_s:.1f} s, you decide what happens next."
    return f"{asked} If the carrier has not seen it after {deadline_s:.1f} s, the caller is redirected."


def again(call: Call, attempt: TransferAttempt | None) -> Again | None:
    """The offer after a settled transfer that left the caller with the assistant; None when there is nothing to offer.

    A REFER that nobody proved is a question to the operator (design.md section 4); a trunk cannot be redirected.
    """
    if attempt is None or attempt.is_open or call.state != State.LIVE:
        return None
    if attempt.outcome == Outcome.CANCELLED:
        return Again(f"The transfer to {attempt.target_label} was cancelled.", redirect=False)
    if attempt.outcome not in LOST:
        return None
    steerable = call.topology != Topology.TRUNK and bool(call.carrier_sid)
    if attempt.policy == Policy.REFER_ONLY and attempt.outcome == Outcome.UNKNOWN and steerable:
        return Again("The REFER is unproven. Redirect instead?", redirect=True)
    return Again(LOST[attempt.outcome].format(label=attempt.target_label), redirect=False)


def is_broken(standing: Standing, attempt: TransferAttempt | None) -> bool:
    """Whether the assistant said that it transfers and no transfer is under way or was asked for since."""
    if attempt is None:
        return standing.is_broken(asked_at=None, settled_at=None, is_open=False)
    return standing.is_broken(asked_at=attempt.requested_at, settled_at=attempt.settled_at, is_open=attempt.is_open)


def cap(standing: Standing) -> str:
    """That the session's hour is nearly over; empty before its last five minutes."""
    if standing.minutes_left is None:
        return ""
    left = f"{standing.minutes_left} minute{'' if standing.minutes_left == 1 else 's'} left"
    return f"The AI session ends at 60 minutes; {left if standing.minutes_left else 'that is now'}."


DISK_FULL = (
    "The disk of the database is full. What is said on calls waits in memory, and nothing you ask for can be kept,"
    " until somebody makes room"
)
DISK_NEARLY_FULL = "The disk of the database is nearly full. Make room before calls can no longer be stored"
