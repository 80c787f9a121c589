"""Who told whom what on one call: the steps of its ladder, made of its facts. Pure.

SIP messages are known by the carrier's own word or by OpenAI's webhook; HTTP is what we sent and were answered; a
webhook is what a provider posted to us. What was expected and not seen is a step of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from callops.calls.kinds import Kind
from callops.reports.absences import missing
from callops.reports.record import CallRecord, Happening

PARTIES: Final = ("caller", "twilio", "us", "openai", "human", "operator")
NAMES: Final = {
    "caller": "Caller",
    "twilio": "Twilio",
    "us": "callops",
    "openai": "OpenAI",
    "human": "Human",
    "operator": "Operator",
}


class Style(StrEnum):
    """By what a step is known."""

    SIP = "sip"
    HTTP = "http"
    WEBHOOK = "webhook"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `seq` is the fact it rests on, 0 for none."""

    at: datetime
    source: str
    target: str
    style: Style
    words: str
    seq: int


Told = tuple[str, str, Style, str]
Body = Mapping[str, Any]


def steps(record: CallRecord) -> list[Step]:
    """Every step of the call, in the order in which we learnt of it; what was not seen stands at its deadline."""
    known = [Step(row.at, *told, row.seq) for row in record.happened for told in _of(row)]
    known += [
        Step(each.deadline, *_between(each.lane, each.what), Style.ABSENT, each.sentence, each.since.seq)
        for each in missing(record)
    ]
    return sorted(known, key=lambda step: (step.at, step.style == Style.ABSENT, step.seq))


def _between(lane: str, what: str) -> tuple[str, str]:
    """From whom to whom it would have gone."""
    if "REFER" in what and lane == "carrier":
        return "openai", "twilio"
    return {"carrier": "twilio"}.get(lane, lane), "us"


def _of(row: Happening) -> Iterator[Told]:
    how = _STEPS.get(row.kind)
    if how is not None:
        yield from how(row.body)


def _webhook(words: str, *, source: str = "twilio") -> Callable[[Body], list[Told]]:
    return lambda body: [(source, "us", Style.WEBHOOK, words)]


def _asked(target: str, words: str) -> Callable[[Body], list[Told]]:
    return lambda body: [("us", target, Style.HTTP, words)]


def _answered(source: str, what: str) -> Callable[[Body], list[Told]]:
    return lambda body: [(source, "us", Style.HTTP, f"{what}: {_answer(body)}")]


def _answer(body: Body) -> str:
    """What came back, in a few words."""
    if body.get("status") is None:
        return f"no answer ({_short(body.get('reason') or 'not known why')})"
    parts = [f"HTTP {body['status']}"]
    if body.get("error_code"):
        parts.append(f"code {_short(body['error_code'])}")
    if absent := body.get("absent"):
        parts.append(f"without {', '.join(map(str, absent))}")
    return ", ".join(parts)


def _inbound(body: Body) -> list[Told]:
    return [("caller", "twilio", Style.SIP, "calls"), ("twilio", "us", Style.WEBHOOK, "a call came in")]


def _announced(body: Body) -> list[Told]:
    return [
        ("twilio", "openai", Style.SIP, "INVITE"),
        ("openai", "us", Style.WEBHOOK, _short(body.get("type") or "webhook")),
    ]


def _leg(body: Body) -> list[Told]:
    role, status, code = str(body.get("role")), str(body.get("status")), body.get("sip_code")
    words = f"{role} leg is {status}" + (f", SIP {code}" if code else "")
    told: list[Told] = [("twilio", "us", Style.WEBHOOK, words)]
    far = {"human": "human", "ai": "openai"}.get(role)
    if far and status == "ringing":
        told.insert(0, ("twilio", far, Style.SIP, "rings"))
    if far and status == "in-progress":
        told.insert(0, (far, "twilio", Style.SIP, "answers"))
    return told


def _refer(body: Body) -> list[Told]:
    target = _short(body.get("target") or "")
    return [("openai", "twilio", Style.SIP, f"REFER {target}".strip()), ("twilio", "us", Style.WEBHOOK, "a REFER came")]


def _dial_ended(body: Body) -> list[Told]:
    code = f", SIP {body['sip_code']}" if body.get("sip_code") else ""
    return [("twilio", "us", Style.WEBHOOK, f"the AI's dial ended: {_short(body.get('dial_status'))}{code}")]


def _human_dial_ended(body: Body) -> list[Told]:
    return [("twilio", "us", Style.WEBHOOK, f"the human's dial ended: {_short(body.get('dial_status'))}")]


def _act(words: str) -> Callable[[Body], list[Told]]:
    return lambda body: [("operator", "us", Style.HTTP, f"{words} ({_short(body.get('by'))})")]


def _transfer_asked(body: Body) -> list[Told]:
    source = "openai" if body.get("by") == "assistant" else "operator"
    return [(source, "us", Style.HTTP, f"transfer to {_short(body.get('label'))}")]


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


_STEPS: Final[dict[str, Callable[[Body], list[Told]]]] = {
    Kind.CARRIER_INBOUND: _inbound,
    Kind.CARRIER_RECOVERY: _webhook("the trunk could not reach the AI"),
    Kind.CARRIER_LEG: _leg,
    Kind.CARRIER_DIAL_ENDED: _dial_ended,
    Kind.CARRIER_REFER: _refer,
    Kind.CARRIER_DOCUMENT: lambda body: [("twilio", "us", Style.WEBHOOK, f"fetches the document ({body.get('via')})")],
    Kind.CARRIER_HUMAN_DIAL_ENDED: _human_dial_ended,
    Kind.CARRIER_SCREENING: _webhook("somebody picked up and is asked to press 1"),
    Kind.CARRIER_REDIRECT_ANSWERED: _answered("twilio", "redirect"),
    Kind.CARRIER_REDIRECT_UNANSWERED: _answered("twilio", "redirect"),
    Kind.CARRIER_HANGUP_ANSWERED: _answered("twilio", "hang up"),
    Kind.CARRIER_CHILD_SEEN: lambda body: [("twilio", "us", Style.HTTP, f"lists the leg {_short(body.get('sid'))}")],
    Kind.CARRIER_ALERT: lambda body: [("twilio", "us", Style.WEBHOOK, f"Debugger: {_short(body.get('code'))}")],
    Kind.OPENAI_WEBHOOK: _announced,
    Kind.OPENAI_ACCEPT_ANSWERED: _answered("openai", "accept"),
    Kind.OPENAI_ACCEPT_UNANSWERED: _answered("openai", "accept"),
    Kind.OPENAI_SIDEBAND_OPEN: lambda body: [("us", "openai", Style.HTTP, "sideband is open")],
    Kind.OPENAI_SIDEBAND_DROPPED: lambda body: [("openai", "us", Style.HTTP, f"sideband drops ({body.get('code')})")],
    Kind.OPENAI_SESSION_OVER: lambda body: [("openai", "us", Style.HTTP, "session is over")],
    Kind.OPENAI_ERROR: lambda body: [("openai", "us", Style.HTTP, f"error: {_short(body.get('message'))}")],
    Kind.OPENAI_TOOL_CALL: lambda body: [("openai", "us", Style.HTTP, f"calls the tool {_short(body.get('name'))}")],
    Kind.OPENAI_REFER_ANSWERED: _answered("openai", "refer"),
    Kind.OPENAI_REFER_UNANSWERED: _answered("openai", "refer"),
    Kind.OPENAI_HANGUP_ANSWERED: _answered("openai", "hang up"),
    Kind.US_DIALLED_AI: _asked("twilio", "dial the AI"),
    Kind.US_ACCEPT_ASKED: _asked("openai", "accept"),
    Kind.US_REFER_ASKED: _asked("openai", "refer"),
    Kind.US_REDIRECT_ASKED: _asked("twilio", "redirect"),
    Kind.US_HANGUP_ASKED: _asked("twilio", "hang up"),
    Kind.US_RESCUED: _asked("twilio", "lead the caller on"),
    Kind.HUMAN_PRESSED: lambda body: [("human", "twilio", Style.SIP, f"presses {_short(body.get('key'))}")],
    Kind.OPERATOR_TRANSFER_ASKED: _transfer_asked,
    Kind.OPERATOR_CANCELLED: _act("calls the transfer off"),
    Kind.OPERATOR_HANGUP: _act("hang up"),
    Kind.OPERATOR_WHISPERED: _act("whispers to the assistant"),
    Kind.OPERATOR_SAID: _act("has the assistant say words"),
}
