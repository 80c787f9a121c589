"""The evidence behind a verdict, in words: what each witness said. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from callops.dashboard.sayings import VIA, answer, legs_told, said, seconds, silence
from callops.transfers.verdict import FactKind

Detail = Mapping[str, Any]


def testimony(kind: str, detail: Detail) -> str:
    """What the witness said about the transfer, as one sentence."""
    words = TESTIMONIES.get(kind)
    if words is None:
        return f"{kind.replace('_', ' ').capitalize()}."
    return words if isinstance(words, str) else words(detail)


def particulars(detail: Detail) -> list[tuple[str, str]]:
    """The details worth reading beside the sentence, in the order they help; an absent request id is one."""
    shown: list[tuple[str, str]] = []
    if isinstance(detail.get("status"), int):
        shown.append(("HTTP", said(detail["status"], "none")))
    if "request_id" in detail:
        shown.append(("request id", said(detail["request_id"], "absent")))
    for key, label, unit in MEASURES:
        if detail.get(key) is not None:
            shown.append((label, f"{said(detail[key])}{unit}"))
    return shown


MEASURES = (
    ("error_code", "code", ""),
    ("code", "alert", ""),
    ("duration_ms", "took", " ms"),
    ("processing_ms", "processing", " ms"),
    ("deadline_s", "limit", " s"),
    ("target", "target", ""),
    ("sip_code", "SIP", ""),
)


def _rang(verb: str) -> Callable[[Detail], str]:
    def words(detail: Detail) -> str:
        label = said(detail.get("label"), "the human")
        return f"{label[:1].upper()}{label[1:]} {verb}."

    return words


def _human_dial_ended(detail: Detail) -> str:
    if detail.get("bridged"):
        return _rang("talked with the caller")(detail)
    endings = {
        "busy": "was busy",
        "no-answer": "did not answer",
        "completed": "was picked up, but nobody took the call",
        "canceled": "was called off",
    }
    return _rang(endings.get(str(detail.get("dial_status")), "could not be reached"))(detail)


def _looked_up(detail: Detail) -> str:
    return f"Asked how the call stands: {legs_told(detail.get('caller'), detail.get('ai_leg')) or 'no answer'}."


TESTIMONIES: dict[str, str | Callable[[Detail], str]] = {
    FactKind.ASKED: "The transfer was asked for.",
    FactKind.REFER_ANSWERED: lambda detail: answer("The REFER request", {"status": detail.get("status")}),
    FactKind.REFER_UNANSWERED: lambda detail: silence("The REFER request", detail),
    FactKind.REFER_SEEN: "The REFER reached the carrier.",
    FactKind.REFER_REFUSED: lambda detail: (
        "The REFER reached the carrier, which ignored it: the dial had no referUrl."
        if str(detail.get("code")) == "13802"
        else "The REFER reached the carrier, which refused it."
    ),
    FactKind.CHILD_SEEN: "The carrier made a new leg because of the REFER.",
    FactKind.DEADLINE_PASSED: lambda detail: f"Nothing was seen in {seconds(detail.get('deadline_s'))}.",
    FactKind.REDIRECT_ANSWERED: lambda detail: answer("The redirect request", {"status": detail.get("status")}),
    FactKind.REDIRECT_UNANSWERED: lambda detail: silence("The redirect request", detail),
    FactKind.LOOKED_UP: _looked_up,
    FactKind.AI_LEG_END_ANSWERED: lambda detail: answer(
        "The request to end the AI's leg", {"status": detail.get("status")}
    ),
    FactKind.DOCUMENT_FETCHED: lambda detail: (
        f"The transfer document was fetched {VIA.get(str(detail.get('via')), '')}".rstrip() + "."
    ),
    FactKind.HUMAN_RINGING: _rang("is ringing"),
    FactKind.HUMAN_CONNECTED: _rang("was connected with the caller"),
    FactKind.SCREENING: _rang("answered and was asked to press 1"),
    FactKind.ACCEPTED_BY_KEY: _rang("pressed 1 and took the call"),
    FactKind.DECLINED_BY_KEY: _rang("pressed another key and did not take the call"),
    FactKind.HUMAN_LEG_ENDED: lambda detail: _human_dial_ended({**detail, "bridged": None}),
    FactKind.HUMAN_DIAL_ENDED: _human_dial_ended,
    FactKind.CALLER_LEFT: "The caller hung up.",
    FactKind.CANCELLED: lambda detail: f"{said(detail.get('by'), 'An operator')} called it off.",
    FactKind.GAVE_UP: lambda detail: said(detail.get("why"), "No way was left to move the caller."),
}
