"""What a supervisor may ask of a running conversation. Asking is a fact; the engine hands it to the assistant."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Lane, Session, State
from callops.core.ids import new_id
from callops.core.text import storable
from callops.supervision.models import Act, Intervention, Step

MAX_WORDS = 500
KEY = re.compile(r"[\x21-\x7e]{1,200}")
WITH_WORDS = frozenset({Act.WHISPER, Act.SAY})
KINDS = {
    Act.WHISPER: Kind.OPERATOR_WHISPERED,
    Act.SAY: Kind.OPERATOR_SAID,
    Act.PAUSE: Kind.OPERATOR_PAUSED,
    Act.RESUME: Kind.OPERATOR_RESUMED,
}


class Unfit(Exception):
    """The wish itself cannot be carried out as it was written."""


class NotNow(Exception):
    """The conversation does not stand so that this can be done; the message says why."""


@transaction.atomic
def intervene(
    *, call: Call, act: str, by: str, now: datetime, words: str = "", key: str | None = None, cursor: str | None = None
) -> Intervention:
    """The act is asked for once per key and on the timeline. Raises `Unfit`, or `NotNow` with the reason.

    `cursor` is what the screen showed (`cursor_of`); None asks without having looked.
    """
    wish, said = _checked(act, words, key)
    locked = Call.objects.select_for_update().get(pk=call.pk)
    if key is not None and (known := Intervention.objects.filter(call=locked, key=key).first()):
        return known
    if why := refusal(locked, wish, cursor):
        raise NotNow(why)
    row = Intervention.objects.create(
        id=new_id(now), call=locked, key=key, act=wish, text=said, by=by, asked_at=now, step=Step.ASKED
    )
    body = {"by": by, "intervention": row.pk, **({"text": said} if said else {})}
    timeline.note(locked, at=now, kind=KINDS[wish], lane=Lane.OPERATOR, body=body)
    return row


def cursor_of(call: Call) -> str:
    """How the call stands as far as an act depends on it; a screen that shows another cursor is stale."""
    return f"{call.state}.{call.ai_session}.{'paused' if is_paused(call) else 'talks'}"


def is_paused(call: Call) -> bool:
    """Whether the assistant's session last said that it is paused, as far as supervisors asked for it.

    A caller who came back to the assistant has a new session, which nobody paused yet.
    """
    done = Intervention.objects.filter(call=call, act__in=[Act.PAUSE, Act.RESUME])
    last = done.filter(acknowledged_at__isnull=False).order_by("-acknowledged_at", "-pk").first()
    if last is None or last.act != Act.PAUSE:
        return False
    return not call.sessions.filter(opened_at__gt=last.acknowledged_at).exists()


def refusal(call: Call, act: Act | None = None, cursor: str | None = None) -> str:
    """Why nothing (or not this act) can be done in the conversation now; empty when it can."""
    if call.is_over:
        return "This call is over."
    if call.state == State.WITH_HUMAN:
        return "The caller is with a human; the assistant does not hear this conversation."
    if call.ai_session != Session.OPEN:
        return f"The assistant's session is not open ({Session(call.ai_session).label}), so nothing reaches it."
    if cursor is not None and cursor != cursor_of(call):
        return "The call has changed since this screen was drawn. Look again, and decide."
    paused = is_paused(call) if act else False
    if act == Act.RESUME and not paused:
        return "The assistant is not paused."
    return "The assistant is paused already." if act == Act.PAUSE and paused else ""


def _checked(act: str, words: str, key: str | None) -> tuple[Act, str]:
    if act not in Act.values:
        raise Unfit("That is nothing one can do in a conversation.")
    if key is not None and not KEY.fullmatch(key):
        raise Unfit("The key must be 1 to 200 printable characters.")
    wish, said = Act(act), " ".join(storable(words).split())
    if wish not in WITH_WORDS:
        return wish, ""
    if not said:
        raise Unfit("Write what the assistant should know." if wish == Act.WHISPER else "Write what to say.")
    if len(said) > MAX_WORDS:
        raise Unfit(f"Use at most {MAX_WORDS} characters.")
    return wish, said
