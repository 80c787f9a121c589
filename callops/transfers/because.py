"""The verdict's reasons as a few sentences a supervisor can read out. Pure; times are UTC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from callops.transfers.models import Mechanism
from callops.transfers.verdict import Fact, FactKind, connection, in_doubt, in_order

CALLED_OFF = 487
"""The answer to our own CANCEL: no reason of the far end's (RFC 3261)."""


def explain(facts: Iterable[Fact], *, label: str, asked_at: datetime, switched: str = "") -> str:
    """What was asked, what the witnesses saw and when, and how long the caller waited.

    `switched`: what the line's breaker decided, said before everything else.
    """
    ordered = in_order(facts)
    happened = [_refer(ordered), *_redirect(ordered), *_human(ordered, label, asked_at), *_ending(ordered)]
    seen = " ".join(sentence for sentence in happened if sentence) or "Asked; nothing has answered yet."
    return f"{switched} {seen}" if switched else seen


def _refer(ordered: Sequence[Fact]) -> str:
    answer = _first(ordered, FactKind.REFER_ANSWERED) or _first(ordered, FactKind.REFER_UNANSWERED)
    seen = _first(ordered, FactKind.REFER_SEEN) or _first(ordered, FactKind.CHILD_SEEN)
    refused = _first(ordered, FactKind.REFER_REFUSED)
    passed = _first(ordered, FactKind.DEADLINE_PASSED)
    parts = [_answer(answer)] if answer else []
    if seen:
        late = " after the deadline" if passed and passed.at < seen.at else ""
        parts.append(f"seen by the carrier {clock(seen.at)}{late}")
    elif refused:
        parts.append(_refusal(refused))
    elif passed:
        parts.append(f"never seen by the carrier in {passed.number('deadline_s'):.1f} s")
    if not parts:
        return ""
    return f"REFER {', '.join(parts)}."


def _refusal(refused: Fact) -> str:
    """What the carrier did with a REFER that arrived (contract Twilio 4 and 5)."""
    code, at = refused.detail.get("code"), clock(refused.at)
    if str(code) == "13802":
        return f"ignored by the carrier {at} because the dial had no referUrl (alert {code})"
    why = " because the trunk does not allow this transfer" if str(code) == "32218" else ""
    return f"refused by the carrier {at}{why} (alert {code})"


def _answer(answer: Fact) -> str:
    asked_at = answer.moment("asked_at")
    when = f"asked {clock(asked_at)}, " if asked_at else ""
    if answer.kind == FactKind.REFER_UNANSWERED:
        return f"{when}not answered ({answer.detail.get('reason') or 'no answer'})"
    status = answer.detail.get("status")
    lacking = "" if answer.detail.get("request_id") or answer.number("status") >= 400 else " without a request id"
    return f"{when}answered {status}{lacking}"


def _redirect(ordered: Sequence[Fact]) -> list[str]:
    sentences = []
    fetched = [fact for fact in ordered if fact.kind == FactKind.DOCUMENT_FETCHED and fact.via != Mechanism.REFER]
    answers = [fact for fact in ordered if fact.kind == FactKind.REDIRECT_ANSWERED]
    refused = [fact for fact in answers if fact.number("status") >= 400]
    if refused and not fetched:
        sentences.append(f"Twilio refused the redirect {clock(refused[-1].at)} ({_redirect_refusal(refused[-1])}).")
    elif in_doubt(ordered):
        sentences.append("The redirect's answer was lost. Twilio is being asked whether it took effect.")
    elif _first(ordered, FactKind.REDIRECT_UNANSWERED) and not fetched:
        sentences.append("The redirect was asked; its answer was lost.")
    elif answers and not fetched:
        sentences.append(
            f"Redirect asked and answered {answers[-1].detail.get('status')}; the document is not fetched yet."
        )
    if fetched:
        sentences += _in_vain(refused, [fact for fact in ordered if fact.kind == FactKind.REDIRECT_UNANSWERED])
        how = " when the AI's leg ended" if fetched[0].via == Mechanism.DIAL_ACTION else ""
        sentences.append(f"Twilio fetched the transfer document {clock(fetched[0].at, tenths=True)}{how}.")
    return sentences


def _in_vain(refused: Sequence[Fact], lost: Sequence[Fact]) -> list[str]:
    """What went wrong with redirects before the caller was moved after all."""
    sentences = []
    if refused:
        sentences.append(f"Twilio refused the redirect {_times(len(refused))} ({_redirect_refusal(refused[-1])}).")
    if lost:
        sentences.append(f"The redirect's answer was lost {_times(len(lost))}.")
    return sentences


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _redirect_refusal(answer: Fact) -> str:
    code = answer.detail.get("error_code")
    return f"{answer.detail.get('status')}" + (f"/{code}" if code else "")


def _human(ordered: Sequence[Fact], label: str, asked_at: datetime) -> list[str]:
    if fact := connection(ordered):
        name = fact.detail.get("label") or label
        waited_s = (fact.at - asked_at).total_seconds()
        how = "pressed 1 and was connected" if fact.kind == FactKind.ACCEPTED_BY_KEY else "connected"
        return [f"{name} {how} {clock(fact.at)}, the caller waited {waited_s:.0f} s."]
    tried = [fact for fact in ordered if fact.kind == FactKind.HUMAN_DIAL_ENDED]
    ended = [f"{_tried(fact, ordered, label)} {clock(fact.at)}." for fact in tried]
    return [*ended, *_question(ordered, label)]


def nobody_came(facts: Iterable[Fact], *, label: str) -> str:
    """Whom the transfer rang in vain, and how each of them ended, without times: what an assistant can repeat."""
    ordered = in_order(facts)
    tried = [fact for fact in ordered if fact.kind == FactKind.HUMAN_DIAL_ENDED]
    return " ".join(f"{_tried(fact, ordered, label)}." for fact in tried) or f"{label} did not take the call."


def _question(ordered: Sequence[Fact], label: str) -> list[str]:
    """A screening question that is still open: answered after the last dial that ended."""
    asked = [fact for fact in ordered if fact.kind in (FactKind.SCREENING, FactKind.HUMAN_DIAL_ENDED)]
    if not asked or asked[-1].kind != FactKind.SCREENING:
        return []
    return [f"{asked[-1].detail.get('label') or label} answered {clock(asked[-1].at)} and is asked to press 1."]


def _tried(ended: Fact, ordered: Sequence[Fact], label: str) -> str:
    """One destination that did not take the caller, and why, with the SIP code wherever the carrier told it."""
    name = ended.detail.get("label") or label
    status = str(ended.detail.get("dial_status") or "failed")
    if status == "completed":
        declined = any(fact.kind == FactKind.DECLINED_BY_KEY and _same_leg(fact, ended) for fact in ordered)
        return f"{name}: {'declined by key' if declined else 'answered but nobody took the call'}"
    code = ended.detail.get("sip_code") or _code_of_leg(ended, ordered)
    if status in ("busy", "no-answer"):
        word = "busy" if status == "busy" else "no answer"
        return f"{name}: {word} (SIP {code})" if code and code != CALLED_OFF else f"{name}: {word}"
    if status == "canceled":
        return f"{name}: called off"
    return f"{name}: failed with SIP {code}" if code else f"{name}: {status}"


def _code_of_leg(ended: Fact, ordered: Sequence[Fact]) -> object:
    """A telephone number's dial ends without a SIP code; its leg's own last status has one (contract Twilio 2.4)."""
    own = [fact for fact in ordered if fact.kind == FactKind.HUMAN_LEG_ENDED and _same_leg(fact, ended)]
    return own[-1].detail.get("sip_code") if own else None


def _same_leg(one: Fact, other: Fact) -> bool:
    return bool(one.detail.get("sid")) and one.detail.get("sid") == other.detail.get("sid")


def _ending(ordered: Sequence[Fact]) -> list[str]:
    kinds = {fact.kind: fact for fact in ordered}
    if connection(ordered):
        return []
    sentences = []
    if left := kinds.get(FactKind.CALLER_LEFT):
        sentences.append(f"The caller hung up {clock(left.at)}, before a human was connected.")
    if cancelled := kinds.get(FactKind.CANCELLED):
        sentences.append(f"Cancelled by {cancelled.detail.get('by') or 'an operator'} {clock(cancelled.at)}.")
    if gave_up := kinds.get(FactKind.GAVE_UP):
        sentences.append(str(gave_up.detail.get("why") or "No way was left to move the caller."))
    return sentences


def clock(at: datetime, *, tenths: bool = False) -> str:
    """Time of day in UTC as it stands in a sentence."""
    tail = f".{at.microsecond // 100_000}" if tenths else ""
    return f"{at:%H:%M:%S}{tail}"


def _first(ordered: Sequence[Fact], kind: FactKind) -> Fact | None:
    return next((fact for fact in ordered if fact.kind == kind), None)
