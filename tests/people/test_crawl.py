"""Every page, as every role, with hostile words in every field and in every row: all of it stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.apps import apps
from django.db import connection, models
from django.http import HttpResponse
from django.test import Client

from callops.audit import chain
from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.words import Lane
from callops.core.database import in_db
from callops.dashboard.hub import hub
from callops.dashboard.routing import websocket_urlpatterns
from callops.people.roles import Role
from callops.transfers.models import TransferAttempt
from tests.people.test_table import TABLE, House, client_of, person
from tests.rows import NOON

ROOT = Path(__file__).resolve().parents[2]
EVIL = "'\"><x-evil onx-evil=1>"
"""An element and an attribute nobody else has: where one is parsed, what was said became part of the page."""
HOSTILE = (
    "\u202e\u0627\u0644\u0639\u0631\u0628\u064a\u0629\u2066" + EVIL + "{{ evil }}{% evil %}</script><!--]]>",
    "javascript:evil()",
    "\x00\r\nX-Evil: 1",
    "9" * 40,
    "\U0010ffff" * 300,
)
WORDS = pytest.mark.parametrize("word", HOSTILE, ids=["element", "script", "nul", "number", "long"])
LINKS = {"href", "src", "action", "formaction", "hx-get", "hx-post", "ws-connect", "xlink:href"}
PAGES = [
    path for method, path in TABLE if method == "GET" and not path.startswith(("api/docs", "api/openapi", "metrics"))
]
ACTS = ["login/"] + [
    path for method, path in TABLE if method == "POST" and not path.startswith(("twiml/", "webhooks/"))
]
OURS = {"source", "refer_answer", "redirect_answer", "silence", "kind", "token", "digest", "before", "verb", "redact"}
"""Columns in which only words of our own stand."""


class Page(HTMLParser):
    """What a browser would make of it that was not ours."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "x-evil" or any(name == "onx-evil" for name, _ in attrs):
            self.found.append(str(self.get_starttag_text()))
        self.found += [f"{tag} {name}={value}" for name, value in attrs if name in LINKS and _runs(value or "")]


def _runs(address: str) -> bool:
    return address.strip().lower().startswith(("javascript:", "data:", "//", "http:", "https:"))


def test_the_parser_sees_what_got_out() -> None:
    assert Page(f"<p title=\"{EVIL}\"><a href='javascript:evil()'>").found == [
        "<x-evil onx-evil=1>",
        "a href=javascript:evil()",
    ]
    assert not Page(f"<p title='&quot;'>{EVIL.replace('<', '&lt;')}</p>").found


@cache
def fields() -> list[str]:
    """Every name a page reads from an address or a form, as the templates and the code say."""
    names: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        names |= set(re.findall(r'<(?:input|select|textarea|button)\b[^>]*\bname="([\w-]+)"', path.read_text()))
    for path in (ROOT / "callops" / "dashboard").rglob("*.py"):
        names |= set(re.findall(r'(?:GET|POST|params)(?:\.get\(|\[)"([\w-]+)"', path.read_text()))
        names |= set(re.findall(r"^    (\w+) = (?:forms\.|WhereTo)", path.read_text(), flags=re.MULTILINE))
    return sorted(names - {"csrfmiddlewaretoken"})


def test_the_fields_are_found() -> None:
    assert {"q", "state", "before", "why", "destination", "with", "align", "who", "next"} <= set(fields())


def poison() -> None:
    """Every text a stranger may have had a hand in is hostile, in every row there is."""
    for model in apps.get_models():
        if model.__module__.startswith("callops."):
            for field in model._meta.concrete_fields:
                _poison(model, field)


def _poison(model: type[models.Model], field: models.Field[Any, Any]) -> None:
    if field.name in OURS or field.primary_key or getattr(field, "choices", None):
        return
    longest = field.max_length or 999
    for row in model._default_manager.all():
        value = getattr(row, field.attname)
        if isinstance(field, models.JSONField):
            model._default_manager.filter(pk=row.pk).update(**{field.name: _evil(value)})
        elif isinstance(field, models.CharField | models.TextField) and longest >= len(EVIL):
            model._default_manager.filter(pk=row.pk).update(**{field.name: f"{EVIL}{row.pk}"[:longest]})


def _evil(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _evil(each) for name, each in value.items()} | {EVIL: EVIL}
    if isinstance(value, list):
        return [_evil(each) for each in value]
    return EVIL if isinstance(value, str) else value


def every_fact(house: House) -> None:
    """One fact of each kind, saying something hostile wherever the wording looks for words."""
    source = "".join(path.read_text() for path in (ROOT / "callops" / "dashboard").glob("*ord*.py"))
    said = dict.fromkeys(re.findall(r'body(?:\.get\(|\[)"(\w+)"', source), EVIL)
    for kind in Kind:
        timeline.note(house.call, at=NOON, kind=kind, lane=Lane.CARRIER, body={**said, "params": {"From": EVIL}})


class Haunted(House):
    """The house of the table, with nothing in it that was not said by an enemy."""

    def __init__(self) -> None:
        super().__init__()
        chain.record("x", "open call", now=NOON, detail={"q": "x"})
        TransferAttempt.objects.update(summary="x", reason="x")
        poison()


def as_strict_as_postgresql(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    """SQLite takes NUL in a text; PostgreSQL, where this runs for real, does not."""
    for value in params or ():
        assert not (isinstance(value, str) and "\x00" in value), f"NUL reaches the database: {sql[:80]}"
    return execute(sql, params, many, context)


def checked(answer: HttpResponse, address: str) -> None:
    assert answer.status_code < 500, address
    assert "X-Evil" not in answer.headers
    if answer.headers.get("Content-Type", "").startswith(("text/html", "image/svg")):
        assert not Page(answer.content.decode()).found, address


@pytest.fixture
def client(db: None) -> Client:
    return client_of(Role.ADMINISTRATOR)


def queries(word: str) -> Iterator[str]:
    """The word in one half of the fields and in the other: not in all, since one field may hide another."""
    for names in (fields()[::2], fields()[1::2]):
        yield "&".join(f"{name}={quote(word)}" for name in names)


@WORDS
def test_a_page_asked_with_hostile_words_stays_what_it_is(client: Client, word: str) -> None:
    house = Haunted()
    with connection.execute_wrapper(as_strict_as_postgresql):
        for path in PAGES:
            for query in queries(word):
                checked(client.get(f"{house.fill(path)}?{query}"), f"{path}?{query}")
            checked(client.get(f"{house.fill(path)}?{query}", headers={"HX-Request": "true"}), path)


def test_bytes_that_are_no_text_are_no_trouble(client: Client) -> None:
    house = Haunted()
    for path in PAGES:
        query = "&".join(f"{name}=%ff%fe" for name in fields())
        checked(client.get(f"{house.fill(path)}?{query}&%ff=1"), path)


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["nobody", *Role])
def test_what_enemies_said_is_text_on_every_page_for_everybody(who: str) -> None:
    house, client = Haunted(), client_of(who)
    every_fact(house)
    shown = set()
    for path in PAGES:
        answer = client.get(house.fill(path))
        checked(answer, path)
        shown |= {path} if "x-evil" in _text(answer) else set()

    assert ({"", "calls/", "calls/<str:call_id>/", "callbacks/", "transfers/"} <= shown) is (who != "nobody")
    assert ("audit/" in shown) is (who == Role.ADMINISTRATOR)


def _text(answer: Any) -> str:
    return "" if answer.streaming or answer.headers["Content-Type"] == "application/zip" else answer.content.decode()


@WORDS
def test_a_hostile_word_inside_an_address_is_not_found(client: Client, word: str) -> None:
    Haunted()
    wish = {"destination": "frontdesk", "act": "pause"}
    with connection.execute_wrapper(as_strict_as_postgresql):
        for path in (path for path in [*PAGES, *ACTS] if "<" in path):
            address = "/" + re.sub(r"<[^>]+>", quote(word, safe=""), path)
            body = (wish, "application/json") if path.startswith("api/") else ()
            answer = client.post(address, *body) if path in ACTS else client.get(address)
            checked(answer, address)
            assert answer.status_code in {303, 404, 422}, address


@WORDS
def test_an_act_with_hostile_words_is_refused_or_done_and_never_breaks(client: Client, word: str) -> None:
    house = Haunted()
    wish = {"destination": word, "act": word, "text": word, "uri": word}
    with connection.execute_wrapper(as_strict_as_postgresql):
        for path in (path for path in ACTS if path != "logout/"):
            body = (wish, "application/json") if path.startswith("api/") else (dict.fromkeys(fields(), word),)
            checked(client.post(house.fill(path), *body), path)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", [path for method, path in TABLE if method == "SOCKET"])
async def test_what_is_pushed_is_text_too(path: str) -> None:
    house = await in_db(Haunted)()
    await in_db(every_fact)(house)
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"{house.fill(path)}?seq=0&rev=0")
    socket.scope["user"] = await in_db(person)(Role.ADMINISTRATOR)
    await socket.connect()
    told = ""
    while "x-evil" not in told:
        told += (await socket.receive_output(timeout=10)).get("text", "")
    await socket.disconnect()
    await hub.stop()

    assert not Page(told).found
