"""Calls with a past, and what a database says of every call; run in a shell of the app (`manage.py shell`)."""

from __future__ import annotations

import json
from typing import Any

from django.forms.models import model_to_dict

from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.calls.timeline import append
from callops.calls.words import Lane
from callops.sideband import batches, journal
from callops.sideband.batches import Batch
from callops.sideband.models import AiSession, Turn
from callops.sideband.turns import TurnState
from callops.transfers import evidence
from callops.transfers.models import TransferAttempt
from callops.transfers.verdict import FactKind, judge
from tests.rows import at, make_attempt, make_call, make_destination, make_line, make_session

CONNECTED = {"label": "Front desk", "uri": "tel:+15550111", "sid": "CA" + "9" * 32}
STORIES: list[list[tuple[FactKind, dict[str, Any]]]] = [
    [(FactKind.REFER_ANSWERED, {"status": 200}), (FactKind.DEADLINE_PASSED, {"deadline_s": 4.0})],
    [
        (FactKind.REFER_ANSWERED, {"status": 200}),
        (FactKind.REFER_SEEN, {"target": "tel:+15550111"}),
        (FactKind.HUMAN_CONNECTED, {"via": "refer", "step": 0, **CONNECTED}),
    ],
    [
        (FactKind.REFER_ANSWERED, {"status": 200}),
        (FactKind.DEADLINE_PASSED, {"deadline_s": 4.0}),
        (FactKind.REDIRECT_ANSWERED, {"status": 200}),
        (FactKind.DOCUMENT_FETCHED, {"via": "redirect"}),
        (FactKind.HUMAN_CONNECTED, {"via": "redirect", "step": 0, **CONNECTED}),
    ],
    [(FactKind.REFER_ANSWERED, {"status": 200}), (FactKind.CALLER_LEFT, {})],
    [(FactKind.CANCELLED, {"by": "supervisor1"})],
]


def live() -> None:
    """A call for each story: frames, turns, facts, and a transfer with its evidence."""
    line, desk = make_line(), make_destination()
    for story in STORIES:
        call = make_call(line)
        talk(call)
        attempt = make_attempt(call, desk)
        for number, (kind, detail) in enumerate(story):
            event = append(call, at=at(number), kind=Kind.CLOCK_REFER_DEADLINE, lane=Lane.US, body={"n": number})
            evidence.add(attempt.pk, kind, at=at(number), event=event, detail=detail)


def talk(call: Call) -> None:
    """A few frames and a turn, kept as an engine keeps them."""
    session = make_session(call, lease_owner="engine-1")
    frames = [(1_790_000_000_000 + n, json.dumps({"event_id": f"e{n}", "é": "\u2028"}).encode()) for n in range(50)]
    said = TurnState("item_1", "caller", "Hello – is anybody there?", True, False, None, 1_790_000_000_000, {})
    batch = Batch(session_id=session.pk, call_id=call.pk, first=0, frames=frames, turns={"item_1": (0, said)})
    assert batches.save([batch], owner="engine-1", now=at(9)) == set()


def tell() -> None:
    """Everything that is known of every call, judged anew, as JSON."""
    print(json.dumps([of(call) for call in Call.objects.order_by("pk")], default=str))


def of(call: Call) -> dict[str, Any]:
    sessions = AiSession.objects.filter(call=call).order_by("pk")
    return {
        "call": model_to_dict(call),
        "events": list(Event.objects.filter(call=call).order_by("seq").values("seq", "kind", "at", "body")),
        "turns": list(Turn.objects.filter(call=call).order_by("position").values("item_id", "text", "rev")),
        "frames": [frame.decode() for session in sessions for _, frame in journal.replay(session.pk)],
        "transfers": [verdict(attempt) for attempt in TransferAttempt.objects.filter(call=call).order_by("pk")],
    }


def verdict(attempt: TransferAttempt) -> dict[str, Any]:
    """As it stands in the row, and as its evidence says when it is judged again."""
    again = judge(evidence.facts_of(attempt), refer_only=evidence.only_refer(attempt))
    return {
        "row": [attempt.mechanism, attempt.outcome, attempt.state],
        "again": [again.mechanism, again.outcome],
        "because": attempt.because,
        "evidence": list(attempt.evidence.order_by("pk").values("kind", "witness", "at", "detail")),
    }
