"""What people do about a call: transfer, cancel, hang up, join its halves.

By POST; htmx gets fragments, a plain form the page.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.views.decorators.http import require_POST

from callops.audit import middleware as audit
from callops.calls import calling_back
from callops.calls.commands import AlreadyOver, hang_up
from callops.calls.models import Call, CallBack, Destination
from callops.core.clock import now
from callops.core.ids import new_token
from callops.dashboard import access, call_page, spent
from callops.dashboard.call_page import Picture
from callops.dashboard.forms import AgainForm, LinkForm, TransferForm
from callops.people.roles import Right
from callops.sideband.linking import Candidate, LinkRefused, candidates, is_revisable, link_by_hand, missing_half
from callops.supervision.models import Preset
from callops.transfers import switching, typed, wishes
from callops.transfers.commands import (
    AnotherOpen,
    NotTransferable,
    TargetRefused,
    TooLate,
    approved_transfer,
    cancel,
    request_transfer,
)
from callops.transfers.models import TransferAttempt
from callops.transfers.typed import ApprovalWanted, TooOften

RECENT = 4
RECENT_LOOK = 30


@audit.begins_itself
@require_POST
@access.acting
def transfer(request: HttpRequest, call_id: str) -> HttpResponse:
    """The caller's transfer is asked for; 422 when the form is wrong, 409 when the call cannot be moved now."""
    wishes.coming()
    call = access.call(request, call_id)
    form = TransferForm(request.POST)
    if not form.is_valid():
        return _answer(request, call.pk, problem=form.why(), status=422)
    to = form.cleaned_data["destination"]
    target: dict[str, Any] = {"destination": to} if to.pk else {"uri": to.uri}
    seen = switching.standing(call.line, now=now()) if call.line else None
    audit.begin(request)
    return _ask(request, call, **target, key=form.cleaned_data["key"], summary=form.cleaned_data["brief"], seen=seen)


@require_POST
@access.acting
def decide(request: HttpRequest, call_id: str, approval_id: str) -> HttpResponse:
    """A second person agrees to a typed address, and the transfer is asked for; or does not, and nothing happens."""
    user = access.user_of(request)
    if not access.may(request, Right.TYPE_NUMBER):
        raise PermissionDenied(access.WHY_NOT[Right.TYPE_NUMBER])
    call, agreed = access.call(request, call_id), request.POST.get("agreed") == "yes"
    try:
        wish = typed.decide(approval_id, by=user.get_username(), now=now(), agreed=agreed)
        if agreed:
            approved_transfer(wish, now=now())
    except typed.ApprovalGone as gone:
        return _answer(request, call.pk, problem=str(gone), status=409)
    except TargetRefused as refused:
        return _answer(request, call.pk, problem=str(refused), status=422)
    except (NotTransferable, AnotherOpen, TooOften) as refused:
        return _answer(request, call.pk, problem=str(refused), status=409)
    return _answer(request, call.pk)


@require_POST
@access.acting
def retry(request: HttpRequest, call_id: str, transfer_id: str) -> HttpResponse:
    """The same destination is asked for once more, as the line wants it or by the policy of the button; a new wish."""
    call = access.call(request, call_id)
    before, form = access.attempt(request, call.pk, transfer_id), AgainForm(request.POST)
    if not form.is_valid():
        return _answer(request, call.pk, problem=form.why(), status=422)
    target: dict[str, Any] = {"destination": before.destination} if before.destination else {"uri": before.target_uri}
    return _ask(request, call, **target, key=form.cleaned_data["key"], policy=form.cleaned_data["policy"] or None)


@require_POST
@access.acting
def cancel_transfer(request: HttpRequest, call_id: str, transfer_id: str) -> HttpResponse:
    """The transfer is called off; 409 with what happened when it was too late."""
    attempt = access.attempt(request, call_id, transfer_id)
    try:
        cancel(attempt=attempt, asked_by=access.user_of(request).get_username(), now=now())
    except TooLate as late:
        return _answer(request, attempt.call_id, problem=str(late), status=409)
    return _answer(request, attempt.call_id)


@require_POST
@access.acting
def hangup(request: HttpRequest, call_id: str) -> HttpResponse:
    """The wish to end the call is written; 409 when it was over already."""
    call = access.call(request, call_id)
    try:
        hang_up(call=call, asked_by=access.user_of(request).get_username(), now=now())
    except AlreadyOver as over:
        return _answer(request, call.pk, problem=str(over), status=409)
    return _answer(request, call.pk)


@require_POST
@access.acting
def link(request: HttpRequest, call_id: str) -> HttpResponse:
    """The two halves are one call, with the person's name and reason; 409 with a sentence when they cannot be."""
    call, form = access.call(request, call_id), LinkForm(request.POST)
    if not form.is_valid():
        return _answer(request, call.pk, problem=form.why_not(), status=422, about="link")
    if access.scope(request).lines is not None:
        access.call(request, form.cleaned_data["other"])
    wish = {"other_id": form.cleaned_data["other"], "why": form.cleaned_data["why"]}
    try:
        joined = link_by_hand(call_id=call.pk, by=access.user_of(request).get_username(), now=now(), **wish)
    except LinkRefused as refused:
        return _answer(request, call.pk, problem=str(refused), status=409, about="link")
    return HttpResponseRedirect(resolve_url("dashboard:call", joined), status=303)


def _ask(request: HttpRequest, call: Call, **wish: Any) -> HttpResponse:
    """The wish is written down; what stands against it is said."""
    try:
        user = access.user_of(request)
        by, may_type = user.get_username(), access.may(request, Right.TYPE_NUMBER)
        request_transfer(call=call, asked_by=by, now=now(), may_type=may_type, **wish)
    except TargetRefused as refused:
        return _answer(request, call.pk, problem=str(refused), status=422)
    except TooOften as refused:
        return _answer(request, call.pk, problem=str(refused), status=429)
    except (NotTransferable, AnotherOpen, ApprovalWanted) as refused:
        return _answer(request, call.pk, problem=str(refused), status=409)
    return _answer(request, call.pk)


@require_POST
@access.acting
def call_back_done(request: HttpRequest, task_id: int) -> HttpResponse:
    """The caller was called back; pressing twice changes nothing. 404 when there is no such task."""
    get_object_or_404(access.scope(request).calls(CallBack.objects.all(), "call__"), pk=task_id)
    calling_back.settle(task_id, by=access.user_of(request).get_username(), now=now())
    return HttpResponseRedirect(resolve_url("dashboard:call_backs"), status=303)


def page_context(request: HttpRequest, picture: Picture) -> dict[str, Any]:
    """Everything on the page of one call; the destination the assistant meant is chosen already."""
    wanted = picture.promised.destination if picture.promised else None
    return {
        **call_page.status(picture),
        "picture": picture,
        "destinations": Destination.objects.all(),
        "chosen": request.POST.get("destination") or (wanted.pk if wanted else _last_wish(picture)),
        "key": new_token(),
        "act_key": new_token(),
        "brief_key": new_token(),
        "recent": recent(),
        "cost": spent.of(picture.call),
        "presets": Preset.objects.all(),
        "candidates": _candidates(request, picture.call),
        "may_act": access.may(request, Right.ACT),
        "may_type": typed.allowed().anything and access.may(request, Right.TYPE_NUMBER),
        "may_export": access.may(request, Right.EXPORT),
        "here": "call",
    }


def recent() -> list[Destination]:
    """The destinations of the last transfers that still stand in the directory, newest first, each once."""
    used = TransferAttempt.objects.filter(destination__isnull=False).order_by("-pk").select_related("destination")
    return list(dict.fromkeys(attempt.destination for attempt in used[:RECENT_LOOK] if attempt.destination))[:RECENT]


def _last_wish(picture: Picture) -> int | None:
    """The destination of the newest transfer, which may be tried again; None when there is none."""
    return picture.attempts[0].destination_id if picture.attempts else None


def _candidates(request: HttpRequest, call: Call) -> list[Candidate]:
    """Calls that may have the other half, of those the person sees."""
    found = candidates(call) if half_wanted(call) else []
    return [each for each in found if access.scope(request).sees_line(each.call.line_id)]


def half_wanted(call: Call) -> bool:
    """Whether the page offers to join the call's halves by hand: one is missing, or they were joined by less."""
    return bool(missing_half(call)) or is_revisable(call)


def _answer(
    request: HttpRequest, call_id: str, *, problem: str = "", status: int = 200, about: str = "transfer"
) -> HttpResponse:
    """The call as it is now: fragments for htmx, else the page (after success by a redirect, so reloading is safe)."""
    if not problem and not access.is_htmx(request):
        return HttpResponseRedirect(resolve_url("dashboard:call", call_id), status=303)
    picture = call_page.read(call_id, now=now())
    if picture is None:
        return HttpResponse(status=404)
    context = {**page_context(request, picture), "problem" if about == "transfer" else "link_problem": problem}
    if problem:
        context["refused"] = request.POST
    if not access.is_htmx(request):
        return render(request, "dashboard/call.html", context, status=status)
    return render(request, "dashboard/_answer.html", {**context, "oob": True}, status=status)
