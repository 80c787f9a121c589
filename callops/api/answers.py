"""Errors of the API: always `{"detail": sentence}`, with the status that fits."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPMethod
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from callops.api.auth import NO_CREDENTIALS, TooMany
from callops.calls.commands import AlreadyOver
from callops.core.doors import too_often
from callops.supervision.commands import NotNow, Unfit
from callops.transfers.commands import AnotherOpen, NotTransferable, TargetRefused, TooLate
from callops.transfers.typed import ApprovalWanted, TooOften

logger = logging.getLogger(__name__)

View = Callable[..., HttpResponse]
Raised = Exception | type[Exception]

NOT_HERE = "There is nothing at this address; /api/docs lists what there is."
OUR_FAULT = "Something went wrong on our side; it is in the log."


def add_to(api: NinjaAPI) -> None:
    """From now on whatever goes wrong in the API is answered in this room's way."""
    for error in (
        HttpError,
        ValidationError,
        Http404,
        AnotherOpen,
        NotTransferable,
        TooLate,
        AlreadyOver,
        NotNow,
        Unfit,
        TargetRefused,
        TooOften,
        ApprovalWanted,
    ):
        api.add_exception_handler(error, _told)
    api.add_exception_handler(AuthenticationError, _unknown_sender)
    api.add_exception_handler(Exception, _our_fault)


def problem(status: int, detail: str, **more: str) -> JsonResponse:
    """The answer to a request that was not carried out."""
    return JsonResponse({"detail": detail, **more}, status=status)


def polite(view: View) -> View:
    """HEAD goes wherever GET goes, OPTIONS says what is possible, and a wrong address or method is told in JSON.

    Django's own CSRF check stays out: `BrowserSession` makes it, and tells the result in JSON too.
    """

    @csrf_exempt
    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        method = request.method or ""
        if method == HTTPMethod.HEAD:
            request.method = HTTPMethod.GET.value
        try:
            answer = view(request, *args, **kwargs)
        except Http404:
            return problem(404, NOT_HERE)
        finally:
            request.method = method
        return answer if answer.status_code != 405 else _not_this_way(method, answer.headers)

    return asked


@csrf_exempt
def nowhere(request: HttpRequest, **path: str) -> HttpResponse:
    """An address under the API that does not exist."""
    return problem(404, NOT_HERE)


def _not_this_way(method: str, headers: Mapping[str, str]) -> HttpResponse:
    allowed = {word.strip() for word in headers["Allow"].split(",")}
    allowed |= {"OPTIONS"} | ({"HEAD"} if "GET" in allowed else set())
    ways = ", ".join(sorted(allowed))
    answer = HttpResponse(status=204) if method == HTTPMethod.OPTIONS else problem(405, f"Only {ways} work here.")
    answer.headers["Allow"] = ways
    return answer


def _told(request: HttpRequest, error: Raised) -> HttpResponse:
    match error:
        case TooMany():
            return _later(error.message, error.retry_s)
        case Throttled():
            retry_s = math.ceil(error.wait or 1)
            return _later(too_often(retry_s), retry_s)
        case HttpError():
            return problem(error.status_code, error.message)
        case ValidationError():
            return problem(422, _sentence(error))
        case Http404():
            return problem(404, NOT_HERE)
        case TargetRefused() | Unfit():
            return problem(422, str(error))
        case AnotherOpen():
            return problem(409, str(error), transfer_id=error.attempt.pk)
        case ApprovalWanted():
            return problem(409, str(error), approval_id=error.approval.pk)
        case TooOften():
            return _later(str(error), error.retry_s)
    return problem(409, str(error))


def _later(why: str, retry_s: int) -> HttpResponse:
    answer = problem(429, why)
    answer.headers["Retry-After"] = str(retry_s)
    return answer


def _unknown_sender(request: HttpRequest, error: Raised) -> HttpResponse:
    told = str(error)
    answer = problem(401, NO_CREDENTIALS if told == "Unauthorized" else told)
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _our_fault(request: HttpRequest, error: Raised) -> HttpResponse:
    cause = error if isinstance(error, Exception) else None
    logger.error("The API could not answer %s %s.", request.method, request.path, exc_info=cause)
    return problem(500, OUR_FAULT)


def _sentence(error: ValidationError) -> str:
    """All that was wrong with a request, each with the name of its field."""
    return "; ".join(_complaint(fault) for fault in error.errors)


def _complaint(fault: Mapping[str, Any]) -> str:
    source, *path = fault["loc"]
    names = [str(part) for part in (path[1:] if source == "body" else path)]
    told = str(fault["msg"]).removeprefix("Value error, ")
    where = ".".join(names) or ("the body" if source == "body" else source)
    return f"{where}: {told[:1].lower()}{told[1:]}"
