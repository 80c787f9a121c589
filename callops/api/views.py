"""The operations of the JSON API (interface.md section 5): look up, one call into the house, answer."""

from __future__ import annotations

import re
from typing import Annotated, Any, cast

from django.db.models import QuerySet
from django.http import HttpResponse
from ninja import Header, Query, Router, Status
from ninja.errors import HttpError
from ninja.throttling import BaseThrottle

from callops.api import schemas, shapes
from callops.api.auth import COMMANDERS, SPEAKERS, PerPerson, SignedRequest
from callops.audit import middleware as audit
from callops.calls import timeline
from callops.calls.commands import hang_up
from callops.calls.models import Call, CallQuerySet, Destination
from callops.calls.words import State
from callops.core.clock import now
from callops.core.prepared import Asked, PreparedRows
from callops.finding import calls as finding
from callops.finding.language import parse
from callops.people.roles import Right
from callops.people.standing import standing_of
from callops.reports.download import ZIP, download
from callops.reports.gathering import gather
from callops.sideband.models import Turn
from callops.supervision.commands import intervene
from callops.transfers import commands, switching, wishes
from callops.transfers.commands import cancel
from callops.transfers.held import Held
from callops.transfers.models import TransferAttempt

PAGE = 50
LONGEST_PAGE = 200
EVENTS_PAGE = 500

_ID = re.compile(r"[0-9A-Za-z]{1,26}")
_REFUSALS = {frozenset({401, 403, 404, 422, 429}): schemas.Problem}
_COMMAND_REFUSALS = {frozenset({400, 401, 403, 404, 409, 413, 422, 429}): schemas.Problem}
_TRANSFER_REFUSALS = {frozenset({400, 401, 403, 404, 413, 422, 429}): schemas.Problem, 409: schemas.TransferProblem}
_THROTTLES: list[BaseThrottle] = [PerPerson()]

_FILE = {"type": "string", "format": "binary"}

_Q = "A part of a number, an id, words that were said, or terms as in the history: `refer:unseen wait>10s`"

_KNOWN_AS = PreparedRows(lambda: Call.objects.known_as(Asked("id")).select_related("line__breaker"))
_NAMED = PreparedRows(lambda: Destination.objects.filter(name=Asked("name")))

router = Router()


@router.get("/calls", response={200: schemas.Calls, **_REFUSALS}, summary="Calls, newest first", operation_id="calls")
def list_calls(
    request: SignedRequest,
    state: State | None = None,
    q: Annotated[str, Query(max_length=200, description=_Q)] = "",
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE,
    cursor: Annotated[str | None, Query(pattern=rf"^{_ID.pattern}$", description="`next` of the page before")] = None,
) -> schemas.Calls:
    """One page; `next` is the cursor of the following one. Pages stay steady while calls arrive."""
    standing = standing_of(request.auth)
    calls: QuerySet[Any] = standing.scope.calls(Call.objects.newest_first().select_related("line"))
    if state is not None:
        calls = calls.filter(state=state)
    if q.strip():
        calls = _found(cast("CallQuerySet", calls), q, numbers=standing.may(Right.SEE_NUMBERS))
    if cursor is not None:
        calls = calls.filter(pk__lt=cursor)
    rows = list(calls[: limit + 1])
    page = rows[:limit]
    return schemas.Calls(items=[shapes.call(row) for row in page], next=page[-1].pk if len(rows) > limit else None)


@router.get(
    "/calls/{call_id}",
    response={200: schemas.WholeCall, **_REFUSALS},
    summary="One call with its transcript and transfers",
    operation_id="call",
)
def show_call(request: SignedRequest, call_id: str) -> schemas.WholeCall:
    """Everything known of one call but its events."""
    row = _call(request, call_id)
    turns = Turn.objects.filter(call=row).order_by("position")
    attempts = shapes.with_evidence(TransferAttempt.objects.filter(call=row)).order_by("id")
    return shapes.whole_call(row, turns, attempts)


@router.get(
    "/calls/{call_id}/evidence.zip",
    response=_REFUSALS,
    summary="Everything that proves what happened on a call, as a zip",
    operation_id="evidence",
    openapi_extra={"responses": {200: {"description": "The bundle", "content": {ZIP: {"schema": _FILE}}}}},
)
def take_evidence(
    request: SignedRequest,
    call_id: str,
    numbers: Annotated[bool, Query(description="Telephone numbers readable, else all but two digits masked")] = False,
) -> HttpResponse:
    """As a person downloads it from the call's page; `manage.py verify_bundle` checks it."""
    standing = standing_of(request.auth)
    if not standing.may(Right.EXPORT):
        raise HttpError(403, "You may not take evidence out of the house.")
    shown = numbers and standing.may(Right.SEE_NUMBERS)
    return download(gather(_call(request, call_id), at=now()), numbers=shown)


@router.get(
    "/calls/{call_id}/events",
    response={200: schemas.Events, **_REFUSALS},
    summary="The timeline of a call after an event",
    operation_id="events",
)
def list_events(
    request: SignedRequest,
    call_id: str,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="`seq` of the last event known")] = 0,
    limit: Annotated[int, Query(ge=1, le=EVENTS_PAGE)] = EVENTS_PAGE,
) -> schemas.Events:
    """Events in order; `next` is what to ask `after` for the following page, null at the end."""
    rows = timeline.since(_call(request, call_id).pk, after, limit + 1)
    page = rows[:limit]
    return schemas.Events(items=[shapes.event(row) for row in page], next=page[-1].seq if len(rows) > limit else None)


@router.post(
    "/calls/{call_id}/transfers",
    response={202: schemas.Transfer, **_TRANSFER_REFUSALS},
    summary="Move the caller to a human",
    operation_id="transfer_call",
    auth=COMMANDERS,
    throttle=_THROTTLES,
)
def ask_transfer(
    request: SignedRequest,
    call_id: str,
    wish: schemas.TransferWish,
    key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", pattern=r"^[\x21-\x7e]{1,200}$", description="Once per key"),
    ] = None,
) -> Status[schemas.Transfer]:
    """The wish is written down and the engine carries it out; follow it at `GET /api/transfers/{id}`."""
    wishes.coming()
    call, destination, at = _call(request, call_id), _destination(wish.destination), now()
    seen = switching.standing_with(call.line, switching.breaker_of(call.line), now=at) if call.line else None
    audit.begin(request)
    asked = commands.ask(
        call=call,
        asked_by=request.auth.get_username(),
        now=at,
        destination=destination,
        uri=wish.uri,
        policy=wish.policy,
        key=key,
        may_type=standing_of(request.auth).may(Right.TYPE_NUMBER),
        seen=seen,
    )
    return Status(202, shapes.transfer_in_hand(asked) if isinstance(asked, Held) else _shown(request, asked.pk))


@router.get(
    "/transfers/{transfer_id}",
    response={200: schemas.Transfer, **_REFUSALS},
    summary="One transfer with its evidence",
    operation_id="transfer",
)
def show_transfer(request: SignedRequest, transfer_id: str) -> schemas.Transfer:
    """What was asked, what was tried, what witnesses said and what that proves."""
    return _shown(request, transfer_id)


@router.post(
    "/transfers/{transfer_id}/cancel",
    response={202: schemas.Transfer, **_COMMAND_REFUSALS},
    summary="Cancel a transfer",
    operation_id="cancel_transfer",
    auth=COMMANDERS,
    throttle=_THROTTLES,
)
def cancel_transfer(request: SignedRequest, transfer_id: str) -> Status[schemas.Transfer]:
    """Possible until a human is connected; 409 tells what happened instead."""
    attempt = _attempt(request, transfer_id)
    audit.begin(request)
    cancelled = cancel(attempt=attempt, asked_by=request.auth.get_username(), now=now())
    return Status(202, _shown(request, cancelled.pk))


@router.post(
    "/calls/{call_id}/hangup",
    response={202: schemas.Call, **_COMMAND_REFUSALS},
    summary="Hang up a call",
    operation_id="hang_up_call",
    auth=COMMANDERS,
    throttle=_THROTTLES,
)
def hang_up_call(request: SignedRequest, call_id: str) -> Status[schemas.Call]:
    """The wish is written down and the engine ends both legs; 409 when the call is over."""
    call = _call(request, call_id)
    audit.begin(request)
    ending = hang_up(call=call, asked_by=request.auth.get_username(), now=now())
    return Status(202, shapes.call(_call(request, ending.pk)))


@router.post(
    "/calls/{call_id}/interventions",
    response={202: schemas.Intervention, **_COMMAND_REFUSALS},
    summary="Whisper to the assistant, have it say words, pause or resume it",
    operation_id="intervene",
    auth=SPEAKERS,
    throttle=_THROTTLES,
)
def ask_intervention(
    request: SignedRequest,
    call_id: str,
    wish: schemas.InterventionWish,
    key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", pattern=r"^[\x21-\x7e]{1,200}$", description="Once per key"),
    ] = None,
) -> Status[schemas.Intervention]:
    """The act is written down and handed to the assistant; its steps are on the call's timeline.

    409 says why it cannot be done now: the assistant's session is not open, or it is paused already.
    """
    by, call = request.auth.get_username(), _call(request, call_id)
    audit.begin(request)
    row = intervene(call=call, act=wish.act, words=wish.text, by=by, now=now(), key=key)
    return Status(202, shapes.intervention(row))


def _found(calls: CallQuerySet, q: str, *, numbers: bool) -> QuerySet[Any]:
    """Those that fit what was typed, as the history finds them; 422 says what of it makes no sense."""
    query = parse(q, now=now())
    if query.problems:
        raise HttpError(422, " ".join(f"q: {problem.why}" for problem in query.problems))
    return finding.fitting(calls, query, now=now(), numbers=numbers)


def _call(request: SignedRequest, call_id: str) -> Call:
    """The call, also by an id it had before its halves were joined; 404 when it is none of the person's lines."""
    row = _KNOWN_AS.first(id=call_id) if _ID.fullmatch(call_id) else None
    if row is None or not standing_of(request.auth).scope.sees_line(row.line_id):
        raise HttpError(404, "There is no call with this id.")
    return row


def _shown(request: SignedRequest, transfer_id: str) -> schemas.Transfer:
    """The transfer as it stands in the database."""
    return shapes.transfer(_attempt(request, transfer_id))


def _attempt(request: SignedRequest, transfer_id: str) -> TransferAttempt:
    attempts = shapes.with_evidence(TransferAttempt.objects.filter(pk=transfer_id))
    row = attempts.first() if _ID.fullmatch(transfer_id) else None
    if row is None or not standing_of(request.auth).scope.sees_line(row.call.line_id):
        raise HttpError(404, "There is no transfer with this id.")
    return row


def _destination(name: str | None) -> Destination | None:
    if name is None:
        return None
    row = _NAMED.first(name=name)
    if row is None:
        raise HttpError(422, f'destination: there is no "{name}" in the directory.')
    return row
