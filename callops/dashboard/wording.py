"""What happened, in a supervisor's words: one sentence for every kind of timeline event. Pure, and never at a loss.

The pages say the names of the mechanisms only where they are proven, so no sentence here uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from callops.calls.kinds import Kind
from callops.calls.words import Confidence, LegStatus, Method, Policy, Role
from callops.dashboard.act_words import SENTENCES as ACTS
from callops.dashboard.sayings import VIA, Body, answer, legs_told, said, seconds, silence

LEG_VERBS = {
    LegStatus.INITIATED: "is being set up",
    LegStatus.QUEUED: "is queued",
    LegStatus.RINGING: "is ringing",
    LegStatus.IN_PROGRESS: "was answered",
    LegStatus.COMPLETED: "is over",
    LegStatus.BUSY: "was busy",
    LegStatus.NO_ANSWER: "was not answered",
    LegStatus.FAILED: "failed",
    LegStatus.CANCELED: "was called off",
}
ROLES: dict[str, str] = {Role.CALLER: "The caller's leg", Role.AI: "The AI's leg", Role.HUMAN: "The human's leg"}
ALERTS = {
    "13802": "The REFER arrived at Twilio, which ignored it because the dial had no referUrl",
    "32218": "The REFER arrived at Twilio, and the trunk refused it because it does not allow this transfer",
    "32011": "Twilio could not talk to the AI's SIP endpoint",
}
TOOLS = {"transfer_call": "to transfer the caller", "end_call": "to end the call"}


def sentence(kind: str, body: Body) -> str:
    """One sentence for the event; a kind that is not known here is named as it is."""
    words = SENTENCES.get(kind)
    if words is None:
        return f"Something new happened: {kind}."
    return words if isinstance(words, str) else words(body)


def _leg(body: Body) -> str:
    who = ROLES.get(str(body.get("role")), "A leg")
    status = body.get("status")
    verb = LEG_VERBS[LegStatus(status)] if status in LegStatus.values else f"is now {said(status, 'in a new state')}"
    code = f" with SIP {body['sip_code']}" if body.get("sip_code") else ""
    return f"{who} {verb}{code}."


def _dialled_ai(body: Body) -> str:
    tries = body.get("tries")
    again = f", up to {tries} times" if isinstance(tries, int) and tries > 1 else ""
    then = said(", then ".join(map(str, body.get("then") or [])))
    return f"We told Twilio to dial the AI{again}" + (f", and {then} if it does not answer." if then else ".")


def _dial_ended(body: Body) -> str:
    status = said(body.get("dial_status"), "ended")
    code = f" (SIP {body['sip_code']})" if body.get("sip_code") else ""
    still = " The caller is still on the line." if body.get("caller_on_line") else ""
    return f"The call to the AI ended: {status}{code}.{still}"


def _human_dial_ended(body: Body) -> str:
    label = said(body.get("label"), "the human")
    if body.get("bridged"):
        return f"The talk with {label} is over."
    endings = {
        "busy": "was busy",
        "no-answer": "did not answer",
        "canceled": "was called off",
    }
    if body.get("bridged") is False and body.get("dial_status") == "completed":
        return f"{label[:1].upper()}{label[1:]} answered, but nobody took the call."
    return f"{label[:1].upper()}{label[1:]} {endings.get(str(body.get('dial_status')), 'could not be reached')}."


def _ghost(body: Body) -> str:
    after = seconds(body.get("after_s"))
    return f"Nobody was on this call: no speech, no key and no leg at the carrier for {after}. The session is ended."


def _transfer_asked(body: Body) -> str:
    by = said(body.get("by"), "Somebody")
    policies: dict[str, str] = {
        Policy.REFER_THEN_REDIRECT: "REFER first, then redirect",
        Policy.REDIRECT_ONLY: "redirect only",
        Policy.REFER_ONLY: "REFER only",
    }
    how = _first_way(body) or policies.get(str(body.get("policy")))
    return f"{by} asked to move the caller to {said(body.get('label'), 'a human')}" + (f" ({how})." if how else ".")


def _first_way(body: Body) -> str:
    """What the line's breaker decided; empty when it had no say."""
    why = said(body.get("breaker"))
    if not why:
        return ""
    return f"redirect first: {why}" if body.get("redirect_first") else f"REFER first as a probe: {why}"


def _pressed(body: Body) -> str:
    label = said(body.get("label"), "the human")
    who = f"{label[:1].upper()}{label[1:]}"
    if body.get("taken"):
        return f"{who} pressed {said(body.get('key'), '1')} and takes the call."
    return f"{who} pressed {said(body.get('key'), 'a key')} and does not take the call."


def _correlated(body: Body) -> str:
    method, confidence = body.get("method"), body.get("confidence")
    how = Method(method).label if method in Method.values else said(method, "unknown means")
    sure = Confidence(confidence).label if confidence in Confidence.values else "unknown"
    because = said(body.get("because"))
    why = f" Reason given: {said(body['why']).rstrip('.')}." if body.get("why") else ""
    told = f": {because.rstrip('.')}." if because else "."
    if method == Method.NONE:
        return f"The halves of the call are not joined{told}{why}"
    return f"Both halves of the call were joined {'' if method == Method.MANUAL else 'by '}{how} ({sure}){told}{why}"


def _tool_call(body: Body) -> str:
    name = said(body.get("name"), "a tool")
    return f"The assistant wants {TOOLS.get(name, f'to use {name}')}."


def _tool_answered(body: Body) -> str:
    output = body.get("output")
    parsed = output if isinstance(output, Mapping) else {}
    error = said(parsed.get("error"))
    return f"We refused the assistant's wish: {error.rstrip('.')}." if error else "We confirmed the assistant's wish."


def _alert(body: Body) -> str:
    """An alert of the carrier's Debugger; those about a REFER and about the AI's endpoint in our own words."""
    code = said(body.get("code"), "without a code")
    if known := ALERTS.get(code):
        return f"{known} (alert {code})."
    text = said(body.get("text"))
    return f"Twilio raised alert {code}" + (f": {text.rstrip('.')}." if text else ".")


def _told_assistant(body: Body) -> str:
    label = said(body.get("label"), "the human")
    if body.get("about") == "over":
        return f"We told the assistant how the transfer to {label} ended, and to go on helping."
    return f"We told the assistant that the caller is being connected to {label}, and to keep them company."


def _looked_up(body: Body) -> str:
    told = legs_told(body.get("status"), body.get("ai_leg"))
    unheard = " No callback had said so." if body.get("repaired") else ""
    return f"We asked Twilio how the call stands: {told or 'it could not be asked'}.{unheard}"


def _colon(start: str, *keys: str) -> Callable[[Body], str]:
    """`start`, and after a colon whatever of the keys the body has."""

    def words(body: Body) -> str:
        parts = [said(body[key]) for key in keys if body.get(key) not in (None, "")]
        return f"{start}: {', '.join(parts).rstrip('.')}." if parts else f"{start}."

    return words


SENTENCES: dict[str, str | Callable[[Body], str]] = {
    Kind.CARRIER_INBOUND: "Twilio announced the call.",
    Kind.CARRIER_RECOVERY: "Twilio's trunk could not reach the AI and asked us where the caller should go.",
    Kind.CARRIER_LEG: _leg,
    Kind.CARRIER_DIAL_ENDED: _dial_ended,
    Kind.CARRIER_REFER: _colon("Twilio reported that the REFER arrived", "target"),
    Kind.CARRIER_DOCUMENT: lambda body: (
        f"Twilio fetched the transfer document {VIA.get(str(body.get('via')), '')}".rstrip()
        + f" and is ringing {said(body.get('label'), 'the human')}."
    ),
    Kind.CARRIER_HUMAN_DIAL_ENDED: _human_dial_ended,
    Kind.CARRIER_SCREENING: lambda body: (
        f"A phone was answered for {said(body.get('label'), 'the human')}, who must press 1 to take the call."
    ),
    Kind.CARRIER_REDIRECT_ANSWERED: lambda body: answer("Our request to redirect the caller", body),
    Kind.CARRIER_REDIRECT_UNANSWERED: lambda body: silence("Our request to redirect the caller", body),
    Kind.CARRIER_LOOKED_UP: _looked_up,
    Kind.CARRIER_HANGUP_ANSWERED: lambda body: answer("Our request to Twilio to hang up", body),
    Kind.CARRIER_CHILD_SEEN: _colon("Twilio shows a new leg made by the REFER", "to", "status"),
    Kind.CARRIER_ALERT: _alert,
    Kind.OPENAI_WEBHOOK: lambda body: (
        "OpenAI announced the call"
        + (f", {body['age_s']:.1f} s old" if isinstance(body.get("age_s"), int | float) and body["age_s"] >= 1 else "")
        + "."
    ),
    Kind.OPENAI_ACCEPT_ANSWERED: lambda body: answer("Our accept", body),
    Kind.OPENAI_ACCEPT_UNANSWERED: lambda body: silence("Our accept", body),
    Kind.OPENAI_SIDEBAND_OPEN: lambda body: (
        "We are listening again." if body.get("again") else "The assistant is on the line and we are listening."
    ),
    Kind.OPENAI_SIDEBAND_REFUSED: _colon("OpenAI did not let us listen", "status"),
    Kind.OPENAI_SIDEBAND_DROPPED: _colon("The connection over which we listen dropped", "code", "reason"),
    Kind.OPENAI_GHOST: _ghost,
    Kind.OPENAI_SESSION_OVER: _colon("The assistant's session is over", "why"),
    Kind.OPENAI_ERROR: _colon("OpenAI reported an error", "message", "code"),
    Kind.OPENAI_RESPONSE_FAILED: _colon("The assistant could not finish its answer", "reason", "status"),
    Kind.OPENAI_TOOL_CALL: _tool_call,
    Kind.OPENAI_INTERRUPTED: lambda body: (
        "The caller interrupted the assistant"
        + (f" after {body['heard_ms'] / 1000:.1f} s" if isinstance(body.get("heard_ms"), int | float) else "")
        + "."
    ),
    Kind.OPENAI_DTMF: _colon("The caller pressed a key", "key"),
    Kind.OPENAI_NOTE_ADDED: "The assistant has our note.",
    Kind.OPENAI_TURN: lambda body: (
        "The assistant used a tool."
        if body.get("speaker") == "tool"
        else f"The {said(body.get('speaker'), 'speaker')} finished speaking."
    ),
    Kind.OPENAI_UNKNOWN_FRAME: _colon("OpenAI sent something we do not know; it is kept", "type"),
    Kind.OPENAI_GARBAGE: "OpenAI sent something that could not be read; it is kept.",
    Kind.OPENAI_REFER_ANSWERED: lambda body: answer("The REFER we asked OpenAI for", body),
    Kind.OPENAI_REFER_UNANSWERED: lambda body: silence("The REFER we asked OpenAI for", body),
    Kind.OPENAI_SUMMARY: _colon("The assistant summed the call up for the person who takes it", "text"),
    Kind.OPENAI_HANGUP_ANSWERED: lambda body: answer("Our request to OpenAI to hang up", body),
    Kind.US_DIALLED_AI: _dialled_ai,
    Kind.US_CORRELATED: _correlated,
    Kind.US_ACCEPT_ASKED: "We asked OpenAI to accept the call.",
    Kind.US_ACCEPT_HELD_BACK: _colon("We did not accept the call", "why"),
    Kind.US_TOOL_ANSWERED: _tool_answered,
    Kind.US_SUMMARY_ASKED: "We asked the assistant for one sentence about the caller.",
    Kind.US_REFER_ASKED: _colon("We asked OpenAI to send a REFER", "target_uri"),
    Kind.US_REDIRECT_ASKED: "We asked Twilio to redirect the caller's leg.",
    Kind.US_HANGUP_ASKED: "We asked to end the call.",
    Kind.US_RESCUED: lambda body: (
        f"We led the caller on to {said(body.get('label'), 'a human')}"
        + (f": {said(body.get('why')).rstrip('.')}." if body.get("why") else ".")
    ),
    Kind.US_TOLD_ASSISTANT: _told_assistant,
    Kind.US_CALL_BACK_OPENED: lambda body: (
        "Nobody could take the caller, who is to be called back."
        if body.get("number", "")
        else "Nobody could take the caller, whose number is withheld: there is no number to call back."
    ),
    Kind.US_AI_LEFT: _colon("The assistant's leg ended by itself while the caller was still on the line", "why"),
    Kind.US_FAULT: _colon("Something went wrong on our side", "what"),
    Kind.OPERATOR_TRANSFER_ASKED: _transfer_asked,
    Kind.OPERATOR_APPROVAL_ASKED: lambda body: (
        f"{said(body.get('by'), 'An operator')} wants to send the caller to {said(body.get('uri'), 'a typed address')};"
        " a second person has to agree."
    ),
    Kind.OPERATOR_APPROVED: lambda body: (
        f"{said(body.get('by'), 'An operator')} agreed to {said(body.get('uri'), 'a typed address')}."
    ),
    Kind.OPERATOR_DECLINED: lambda body: (
        f"{said(body.get('by'), 'An operator')} did not agree to {said(body.get('uri'), 'a typed address')}."
    ),
    Kind.OPERATOR_CANCELLED: lambda body: f"{said(body.get('by'), 'An operator')} called the transfer off.",
    Kind.OPERATOR_HANGUP: lambda body: f"{said(body.get('by'), 'An operator')} asked to hang up.",
    Kind.OPERATOR_CALL_BACK_DONE: lambda body: f"{said(body.get('by'), 'An operator')} called the caller back.",
    Kind.OPERATOR_MARKED: lambda body: (
        f"{said(body.get('by'), 'Somebody')} marked this moment"
        + (f": {said(body.get('text'), '')}" if body.get("text") else ".")
    ),
    Kind.OPERATOR_HELD: _colon("The call is on hold: nothing of it is deleted", "why"),
    Kind.OPERATOR_HOLD_LIFTED: lambda body: f"{said(body.get('by'), 'An operator')} lifted the hold on this call.",
    Kind.OPERATOR_ERASED: "The caller's number and what was said were erased.",
    **ACTS,
    Kind.HUMAN_PRESSED: _pressed,
    Kind.CLOCK_REFER_DEADLINE: lambda body: f"The carrier has not seen the REFER in {seconds(body.get('deadline_s'))}.",
    Kind.CLOCK_SESSION_NEARLY_OVER: "The assistant's session has lasted 55 minutes; OpenAI ends it at 60.",
    Kind.CLOCK_WEBHOOK_MISSING: lambda body: (
        f"OpenAI has not announced the call in {seconds(body.get('deadline_s'))} after we dialled it."
    ),
    Kind.CLOCK_SAID_NOT_DONE: _colon("The assistant said it is transferring, and nothing was started", "said"),
    Kind.CLOCK_DEAD_AIR: lambda body: (
        f"Dead air: neither side has made a sound for {seconds(body.get('seconds'))}; the assistant does not answer."
    ),
    Kind.CLOCK_FORGOTTEN: lambda body: (
        f"The {said(body.get('what'), 'transcript')} was deleted {said(body.get('days'), 'some')} days after the call."
    ),
    Kind.CLOCK_HUMAN_DEADLINE: "Twilio has not said how the call to the human ended, and we stopped waiting.",
}
