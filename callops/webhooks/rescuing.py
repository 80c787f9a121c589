"""How a caller gets on to the AI, once more to the AI, or to the line's fallback (design.md 3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from callops.calls import calling_back, intake, timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event, Leg, Line
from callops.calls.words import Lane, Role
from callops.core.config import config
from callops.providers.twilio.callbacks import Callback
from callops.sideband.models import SESSION_LASTS, AiSession, Speaker, Turn
from callops.transfers.destinations import Target, chain_at, chain_of
from callops.webhooks import answers

CHECK_SOON = timedelta(seconds=2)
ENDED_BY_ITSELF = "The AI's leg ended by itself."


def dial_the_ai(call: Call, at: datetime, *, delivery: str) -> str:
    """The first dial: in the line's own document, with the next tries and the fallback behind it if the line wants.

    Twilio goes on to them by itself, so the caller is safe even while we are down (contract Twilio 8).
    """
    line = call.line
    if line is None or not line.rescue_in_document:
        return _dialled(call, at, delivery=delivery)
    return _dialled(call, at, delivery=delivery, tries=1 + line.ai_retries, then=chain_of(line.fallback))


def dial_again(call: Call, at: datetime, *, delivery: str) -> str:
    """One more try for a caller to whom nothing was said yet; the fallback stands behind it as before."""
    in_document = call.line is not None and call.line.rescue_in_document
    then = chain_of(call.line.fallback)[rung(call) :] if call.line and in_document else []
    led_on(call, at, to="the assistant, once more", why=ENDED_BY_ITSELF, delivery=delivery)
    return _dialled(call, at, delivery=delivery, then=then)


def back_to_the_ai(call: Call, at: datetime, *, delivery: str) -> str:
    """A fresh dial for a caller whom no human took; its own `action` is the way out."""
    return _dialled(call, at, delivery=delivery)


def rescue(call: Call, at: datetime, *, delivery: str, step: int = 0, why: str = ENDED_BY_ITSELF) -> str:
    """The caller goes on to the line's fallback; when nobody is left, an apology and a task to call them back."""
    target = chain_at(call.line.fallback, step) if call.line else None
    if target is None:
        return apologise(call, at, why=f"{why.rstrip('.')}, and nobody took the call.", delivery=delivery)
    led_on(call, at, to=target.label, why=why, delivery=delivery)
    return answers.rescue(call, target, step=step)


def apologise(call: Call, at: datetime, *, why: str, delivery: str) -> str:
    """Nobody is left: the caller is told so, and somebody is to call them back."""
    led_on(call, at, to="an apology", why=why, delivery=delivery)
    calling_back.owe(call.pk, at=at, why=why, source_id=delivery)
    Call.objects.filter(pk=call.pk).update(carrier_check_at=at + CHECK_SOON)
    return answers.nobody(call_back=bool(call.from_number))


def human_ended_it(at: datetime) -> dict[str, Any]:
    """A human hung up while the caller is on the line: we say goodbye, and ask the carrier soon if it is so."""
    return {"end_wish": "human", "carrier_check_at": at + CHECK_SOON, "carrier_checks": 0}


def note_ai_left(call: Call, callback: Callback, at: datetime, *, delivery: str) -> None:
    """An answered AI leg that ended by itself, with the caller still on the line, is an incident (contract Twilio 7).

    Legs that were never answered have a stage of their own (`stages`).
    """
    if callback.dial_call_status not in ("completed", "answered") or callback.dial_bridged is False:
        return
    hour = AiSession.objects.filter(
        call=call, ai_call_id=call.ai_call_id, opened_at__lte=at - SESSION_LASTS + CHECK_SOON
    )
    why = "OpenAI ends every session at 60 minutes" if hour.exists() else "nobody had asked for it"
    intake.record(
        call.pk,
        at=at,
        kind=Kind.US_AI_LEFT,
        lane=Lane.US,
        body={"why": why, "sip_code": callback.dial_sip_response_code},
        source="callops",
        source_id=f"ai-left:{delivery}",
        changes={"ai_left_at": at},
    )


def may_try_again(call: Call, *, delivery: str) -> bool:
    """Whether the AI is tried once more: nothing was said to the caller yet, and the line's tries are not used up.

    A delivery that is repeated gets what it got.
    """
    if Event.objects.filter(source="callops", source_id=_dial_id(delivery)).exists():
        return True
    line: Line | None = call.line
    if line is None or Turn.objects.filter(call=call).exclude(speaker=Speaker.TOOL).exists():
        return False
    dials = Event.objects.filter(call=call, kind=Kind.US_DIALLED_AI).count()
    tries = max(dials, Leg.objects.filter(call=call, role=Role.AI).count())
    return tries <= line.ai_retries and not rung(call)


def rung(call: Call) -> int:
    """How many of the fallback's destinations the AI's own document has rung; 0 once there was a transfer."""
    if call.transfers.exists():
        return 0
    return Leg.objects.filter(call=call, role=Role.HUMAN).count()


def fallback_talked(call: Call, callback: Callback) -> bool:
    """Whether the dial that ended was answered by the document's fallback and not by the AI.

    Its leg is known from its own callbacks; when those were lost: bridged, although no AI call was ever accepted.
    """
    if callback.dial_call_status not in ("completed", "answered") or callback.dial_bridged is False:
        return False
    role = Leg.objects.filter(call=call, sid=callback.dial_call_sid or "").values_list("role", flat=True).first()
    if role is not None:
        return role == Role.HUMAN
    dialled = Event.objects.filter(call=call, kind=Kind.US_DIALLED_AI).order_by("seq").last()
    stands = dialled is not None and bool(dialled.body.get("then"))
    return stands and not AiSession.objects.filter(call=call, accepted_at__isnull=False).exists()


def _dialled(call: Call, at: datetime, *, delivery: str, tries: int = 1, then: list[Target] | None = None) -> str:
    """The document that dials the AI; from now on its webhook is expected by a deadline. Repeated as it was."""
    due_at = at + timedelta(seconds=config().webhook_deadline_s)
    event = intake.record(
        call.pk,
        at=at,
        kind=Kind.US_DIALLED_AI,
        lane=Lane.US,
        body={"tries": tries, "then": [target.label for target in then or []]},
        source="callops",
        source_id=_dial_id(delivery),
        changes={"ai_dialled_at": at, "webhook_due_at": due_at},
    )
    return answers.ai(call, at=at if event else call.ai_dialled_at or at, tries=tries, then=then or [])


def _dial_id(delivery: str) -> str:
    return f"dialled:{delivery}"[: timeline.IDENTITY_CHARS]


def led_on(call: Call, at: datetime, *, to: str, why: str, delivery: str) -> None:
    """Where the caller was led when something failed, and why, is on the timeline once."""
    body = {"label": to, "why": why}
    source_id = f"rescued:{delivery}"
    intake.record(call.pk, at=at, kind=Kind.US_RESCUED, lane=Lane.US, body=body, source="callops", source_id=source_id)
