"""What supervisors do in a conversation, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable

from callops.calls.kinds import Kind
from callops.dashboard.sayings import Body, said
from callops.supervision.models import Act

THINGS = {
    Act.WHISPER: "the whisper",
    Act.SAY: "the words to say",
    Act.PAUSE: "the pause",
    Act.RESUME: "the end of the pause",
}
SEEN = {
    Act.WHISPER: "The assistant has answered since it was told {whose} whisper.",
    Act.SAY: "The caller begins to hear {whose} words.",
    Act.PAUSE: "The assistant is silent, as {by} asked.",
    Act.RESUME: "The assistant speaks again, as {by} asked.",
}


def _thing(body: Body) -> str:
    act = body.get("act")
    thing = THINGS[Act(act)] if act in Act.values else "an act"
    return f"{thing} of {said(body.get('by'), 'an operator')}"


def _seen(body: Body) -> str:
    by, act = said(body.get("by"), "an operator"), body.get("act")
    return SEEN[Act(act)].format(by=by, whose=f"{by}'s") if act in Act.values else f"An act of {by} shows in the call."


def _words(verb: str) -> Callable[[Body], str]:
    def words(body: Body) -> str:
        by = said(body.get("by"), "An operator")
        return f"{by} {verb}: {said(body['text'])}" if body.get("text") else f"{by} {verb}."

    return words


def _why(start: str) -> Callable[[Body], str]:
    def words(body: Body) -> str:
        return f"{start} {_thing(body)}" + (f": {said(body['why']).rstrip('.')}." if body.get("why") else ".")

    return words


SENTENCES: dict[str, str | Callable[[Body], str]] = {
    Kind.OPERATOR_WHISPERED: _words("whispered to the assistant"),
    Kind.OPERATOR_SAID: _words("asked the assistant to say"),
    Kind.OPERATOR_PAUSED: _words("asked the assistant to pause"),
    Kind.OPERATOR_RESUMED: _words("asked the assistant to go on"),
    Kind.OPENAI_ACT_ACKNOWLEDGED: lambda body: f"OpenAI acknowledged {_thing(body)}.",
    Kind.OPENAI_ACT_SEEN: _seen,
    Kind.OPENAI_ACT_REFUSED: _why("Not done:"),
    Kind.US_ACT_LOST: _why("Nobody knows whether it was done:"),
}
