"""A call as the simulator can play it again: what was said, and how the providers and people behaved. Pure.

Only what the facts show is turned into a knob; what they do not show stays as the simulator has it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from callops.calls.kinds import Kind
from callops.reports.exchanges import Exchange, exchanges
from callops.reports.masking import masked
from callops.reports.plain import short
from callops.reports.record import CallRecord, Happening, Json, Moving, moment

FORMAT: Final = "callops fixture 1"
CALLER: Final = "+15550199"
"""Numbers are never part of a fixture: the caller has this one, or a withheld one."""
MOST_LINES: Final = 390
MOST_CHARACTERS: Final = 3000
HUMANS: Final = {"busy": "busy", "no-answer": "no_answer", "failed": "fails", "canceled": "no_answer"}
STATUSES: Final = {"accept": (404, 409, 429, 500), "refer": (404, 409, 500)}


def fixture(record: CallRecord) -> Iterator[str]:
    """The fixture as JSON text."""
    yield json.dumps(as_json(record), indent=2, ensure_ascii=False) + "\n"


def as_json(record: CallRecord) -> Json:
    """The fixture: knobs of a scenario, the lines, the wish of a supervisor, and what came of it then."""
    shown = masked(record, numbers=False)
    move = shown.moves[-1] if shown.moves else None
    return {
        "format": FORMAT,
        "knobs": knobs(shown),
        "lines": lines(shown),
        "wish": _wish(shown, move),
        "then": {"mechanism": move.mechanism, "outcome": move.outcome} if move else None,
    }


def knobs(record: CallRecord) -> Json:
    """How both providers and the people behaved, as far as it is on record."""
    asked = exchanges(record)
    withheld = not record.call.get("from_number")
    return {
        "from_number": "anonymous" if withheld else CALLER,
        **_dial(record),
        **_accept(record, [each for each in asked if each.name == "accept"]),
        **_sideband(record),
        **_refer(record, [each for each in asked if each.name == "refer"]),
        **_redirect(record, [each for each in asked if each.name == "redirect"]),
        **_humans(record),
        **_caller(record),
    }


def lines(record: CallRecord) -> list[Json]:
    """The transcript as lines; what the assistant's tools were called for stands with its words."""
    told: list[Json] = []
    calls = _tool_calls(record)
    for turn in sorted(record.said, key=lambda turn: turn.at):
        while calls and calls[0].at < turn.at:
            _add_tool(told, calls.pop(0))
        if turn.speaker in ("caller", "assistant") and turn.text.strip():
            _add_words(told, turn.speaker, short(turn.text, MOST_CHARACTERS))
    for call in calls:
        _add_tool(told, call)
    if record.call.get("ended_by") == "caller" and told and not record.moves:
        told.append({"who": "leaves"})
    return told[:MOST_LINES] or [{"who": "leaves", "pause_s": 20.0}]


def _add_words(told: list[Json], speaker: str, words: str) -> None:
    after_tool = bool(told) and told[-1].get("tool") is not None
    who = "then" if speaker == "assistant" and after_tool else speaker
    asked = {"asked": True} if who == "assistant" and not told else {}
    told.append({"who": who, "words": words, **asked})


def _add_tool(told: list[Json], row: Happening) -> None:
    """With the assistant's last words; by itself when it said none, or was asked for them."""
    tool = {"tool": str(row.body.get("name") or "tool"), "arguments": _arguments(row.body.get("arguments"))}
    last = told[-1] if told else {}
    if last.get("who") == "assistant" and not last.get("asked") and not last.get("tool"):
        last.update(tool)
    elif told:
        told.append({"who": "assistant", "words": "One moment, please.", **tool})


def _arguments(told: Any) -> Json:
    if isinstance(told, str):
        try:
            told = json.loads(told)
        except ValueError:
            return {}
    return dict(told) if isinstance(told, Mapping) else {}


def _tool_calls(record: CallRecord) -> list[Happening]:
    return sorted((row for row in record.happened if row.kind == Kind.OPENAI_TOOL_CALL), key=lambda row: row.at)


def _wish(record: CallRecord, move: Moving | None) -> Json | None:
    """What a supervisor asked for; a wish of the assistant stands in the lines."""
    if move is None or move.requested_by == "assistant":
        return None
    live = _first(record, Kind.OPENAI_SIDEBAND_OPEN)
    after_s = (move.requested_at - live.at).total_seconds() if live else None
    rounded = None if after_s is None else round(after_s, 1)
    return {"destination": move.label, "policy": move.policy, "after_live_s": rounded}


def _dial(record: CallRecord) -> Json:
    """OpenAI's SIP side: a refusal, or a webhook that was not seen."""
    if _first(record, Kind.OPENAI_WEBHOOK):
        return {}
    ended = _first(record, Kind.CARRIER_DIAL_ENDED)
    code = ended.body.get("sip_code") if ended else None
    if record.call.get("failure_stage") == "sip_rejected" and isinstance(code, int):
        return {"sip_refuses": code}
    return {"webhook": "never"} if record.call.get("failure_stage") == "webhook_missing" else {}


def _accept(record: CallRecord, asked: Sequence[Exchange]) -> Json:
    if record.call.get("failure_stage") == "accepted_but_dead":
        return {"accept": "dead"}
    if not asked:
        return {}
    last = asked[-1]
    if last.status is None:
        return {"accept": "hang"} if last.reason else {}
    if last.status in STATUSES["accept"]:
        return {"accept": f"http_{last.status}"}
    return {"accept_latency_s": _latency(last)}


def _sideband(record: CallRecord) -> Json:
    """A sideband that dropped while the call went on: it was open again afterwards."""
    opened = [row for row in record.happened if row.kind == Kind.OPENAI_SIDEBAND_OPEN]
    drop = _first(record, Kind.OPENAI_SIDEBAND_DROPPED)
    if drop is None or not opened or not any(row.at > drop.at for row in opened):
        return {}
    return {"drop_sideband_at_s": round((drop.at - opened[0].at).total_seconds(), 1)}


def _refer(record: CallRecord, asked: Sequence[Exchange]) -> Json:
    if not asked:
        return {}
    last = asked[-1]
    if last.status is None:
        return {"refer": "dropped" if last.reason == "dropped" else "hang"}
    if last.status == 400:
        return {"refer": "tel_400"}
    if last.status >= 400:
        known = last.status if last.status in STATUSES["refer"] else 500
        return {"refer": f"http_{known}"}
    return {"refer_latency_s": _latency(last), **_after_refer(record, last)}


def _after_refer(record: CallRecord, answered: Exchange) -> Json:
    """Whether a REFER was seen after a 200, and when."""
    seen = next((row for row in record.happened if _is_witness(row) and row.at >= answered.asked_at), None)
    if seen is None or answered.answered_at is None:
        return {"refer": "named_silent" if answered.request_id else "silent"}
    late_s = (seen.at - answered.answered_at).total_seconds()
    due = next((moment(row.body.get("deadline_at")) for row in record.happened if row.seq == answered.asked_seq), None)
    return {"refer": "late", "refer_late_by_s": round(late_s, 1)} if due and seen.at > due else {"refer": "works"}


def _is_witness(row: Happening) -> bool:
    return row.kind in (Kind.CARRIER_REFER, Kind.CARRIER_CHILD_SEEN)


def _redirect(record: CallRecord, asked: Sequence[Exchange]) -> Json:
    faults = [each for each in asked if each.status is None or each.status >= 400]
    if not faults:
        return {}
    first = faults[0]
    if first.error_code == "21220":
        return {"redirect": "gone"}
    if first.status is None:
        fetched = any(row.kind == Kind.CARRIER_DOCUMENT and row.at >= first.asked_at for row in record.happened)
        how = "applied_no_answer" if fetched and len(asked) == 1 else "hang"
    else:
        how = "http_429" if first.status == 429 else "http_500"
    worked = len(faults) < len(asked)
    return {"redirect": how, **({"redirect_faults": len(faults)} if worked else {})}


def _humans(record: CallRecord) -> Json:
    """How the first and the second human took it."""
    ends = [row for row in record.happened if row.kind == Kind.CARRIER_HUMAN_DIAL_ENDED]
    told = [HUMANS.get(str(row.body.get("dial_status"))) for row in ends if not row.body.get("bridged")]
    known: Json = dict(zip(("human", "second_human"), [word for word in told if word], strict=False))
    rang = _leg(record, "human", "ringing")
    taken = _leg(record, "human", "in-progress")
    if rang and taken and not known and taken.at > rang.at:
        known["human_answers_after_s"] = round((taken.at - rang.at).total_seconds(), 1)
    return known


def _caller(record: CallRecord) -> Json:
    """When the caller left by themselves: while waiting for a human, or before anybody was asked."""
    left, live = moment(record.call.get("caller_left_at")), _first(record, Kind.OPENAI_SIDEBAND_OPEN)
    if left is None:
        return {}
    if record.moves:
        waited_s = (left - record.moves[-1].requested_at).total_seconds()
        return {"caller_patience_s": round(max(0.0, waited_s), 1)} if record.moves[-1].outcome == "caller_left" else {}
    return {} if live else {"caller_hangs_up_while_ringing": True}


def _latency(each: Exchange) -> float:
    return round((each.duration_ms or 0) / 1000, 3)


def _first(record: CallRecord, kind: Kind) -> Happening | None:
    return next((row for row in record.happened if row.kind == kind), None)


def _leg(record: CallRecord, role: str, status: str) -> Happening | None:
    legs = (row for row in record.happened if row.kind == Kind.CARRIER_LEG)
    return next((row for row in legs if (row.body.get("role"), row.body.get("status")) == (role, status)), None)
