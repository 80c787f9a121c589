"""Acts and readings of signed-in people go into the audit: an act in the transaction that does it, or not at all."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase

from callops.audit import chain
from callops.audit.verbs import ACTS, KEPT, OFTEN, READINGS, SEARCHES
from callops.core import clock

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

MOST = 200
ONCE_IN = timedelta(minutes=5)
"""The same reading by the same person within this is one entry in each process: pages come back, scripts poll."""
REMEMBERED = 10_000
FAILED = 500
"""What ends so is undone as a whole."""
DOORS = ("/twiml/", "/webhooks/", "/login/", "/account/")
"""The providers' doors are on the timeline of the call, and no person's act. Sign-in and the account page make their
own entries: a password is not looked at inside a transaction, where tries side by side would not see each other."""


BY_ITSELF = ("/api/",)
"""There every act begins its transaction itself (`begin`), as soon as it is known who asks and for what; so does every
view that says so (`begins_itself`)."""
_BEGINS_ITSELF = "_callops_begins_itself"
_ACT = "_callops_act"


class Recent:
    """What this process lately put into the audit: whoever asks again and again is told of once."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[object, ...], datetime] = OrderedDict()

    def is_new(self, reading: tuple[object, ...], now: datetime) -> bool:
        """Whether this was not read within the last `ONCE_IN`; from now on it was."""
        last = self._seen.get(reading)
        if last is not None and timedelta() <= now - last < ONCE_IN:
            return False
        self._seen[reading] = now
        self._seen.move_to_end(reading)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True


recent = Recent()


class Audit:
    """Middleware: knows an address by its name, and who asks by session or by API token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(DOORS):
            return self._get_response(request)
        if request.method == "POST":
            return self._acted(request)
        answer = self._get_response(request)
        if request.method == "GET" and answer.status_code == 200:
            _note(request, answer, READINGS)
            if request.GET.get("q", "").strip():
                _note(request, answer, SEARCHES)
        return answer

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """What is to be done is under way, unless it begins by itself."""
        act = getattr(request, _ACT, None)
        if act and not request.path.startswith(BY_ITSELF) and not getattr(view, _BEGINS_ITSELF, False):
            act.begin()

    def _acted(self, request: HttpRequest) -> HttpResponseBase:
        with ExitStack() as transactions:
            act = Act(transactions)
            setattr(request, _ACT, act)
            answer = self._get_response(request)
            if answer.status_code < FAILED:
                _note(request, answer, ACTS)
            elif act.is_begun:
                transaction.set_rollback(True)
        return answer


class Act:
    """The one transaction of what a request does and of its entry."""

    def __init__(self, transactions: ExitStack) -> None:
        self._transactions = transactions
        self.is_begun = False

    def begin(self) -> None:
        """It is under way."""
        if not self.is_begun:
            self._transactions.enter_context(transaction.atomic())
            self.is_begun = True


def begin(request: HttpRequest) -> None:
    """From here on the request is one transaction with its entry: who asks and for what is looked up before, since on
    SQLite everybody waits for a transaction.
    """
    getattr(request, _ACT).begin()


def begins_itself(view: View) -> View:
    """The view begins its transaction itself (`begin`), before it changes anything."""
    setattr(view, _BEGINS_ITSELF, True)
    return view


def _note(request: HttpRequest, answer: HttpResponseBase, verbs: Mapping[str, str]) -> None:
    match = request.resolver_match
    verb = verbs.get(_name(match.namespace, match.url_name)) if match else None
    person = getattr(request, "auth", None) or getattr(request, "user", None)
    if match is None or verb is None or not isinstance(person, User):
        return
    if verb in OFTEN and not recent.is_new((person.get_username(), verb, *match.kwargs.values()), clock.now()):
        return
    named = {name: str(value) for name, value in match.kwargs.items() if name != "call_id"}
    detail = {**named, **_fields(request), "status": answer.status_code}
    call = str(match.kwargs.get("call_id", ""))[:26]
    chain.record(person.get_username(), verb, now=clock.now(), call=call, detail=detail)


def _name(namespace: str, url_name: str | None) -> str:
    """`dashboard:call`; the API's namespace carries its version."""
    return f"{'api' if namespace.startswith('api') else namespace}:{url_name}"


def _fields(request: HttpRequest) -> dict[str, Any]:
    """What was asked for, as far as it is kept."""
    given: Mapping[str, Any] = request.GET if request.method == "GET" else request.POST
    if (request.content_type or "").startswith("application/json"):
        try:
            told = json.loads(request.body or b"{}")
        except (ValueError, RecursionError):
            told = {}
        given = told if isinstance(told, dict) else {}
    return {name: _all(given, name)[:MOST] for name in KEPT if given.get(name)}


def _all(given: Mapping[str, Any], name: str) -> str:
    """The value, or all of them where a form has several."""
    return ", ".join(given.getlist(name)) if isinstance(given, QueryDict) else str(given[name])
