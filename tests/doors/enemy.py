"""Requests that nobody of ours would send, by the thousand, at every door: bytes as they go over the wire."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from twilio.request_validator import RequestValidator

from tests.settings import MADE_UP

CRLF = "\r\n"
FORM = "application/x-www-form-urlencoded"
WORDS = (
    "\x00",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "{{ 7*7 }}{% debug %}",
    "../" * 12 + "etc/passwd",
    "%00%0d%0aX-Evil: 1",
    "\r\nX-Evil: 1",
    "\U0001f600" * 300,
    "\ud800",
    "\u202e\u0000\ufffe",
    "9" * 400,
    "-1",
    "1e999",
    "NaN",
    "a" * 9000,
    "(" * 500,
    '"' * 99,
    'wait>999999999d -"x since:0000-00-00',
    "+15550100",
    "javascript:alert(1)",
)
FIELDS = (
    *("q", "state", "line", "cursor", "before", "after", "limit", "seq"),
    *("rev", "who", "with", "at", "by", "stage", "destination", "uri"),
    *("policy", "act", "text", "why", "key", "username", "password", "next"),
    *("words", "numbers"),
)
CALLBACK = (
    *("CallSid", "From", "To", "CallStatus", "SequenceNumber", "Timestamp", "DialCallStatus", "DialBridged"),
    *("ReferTransferTarget", "Digits", "ErrorCode", "AccountSid", "ParentCallSid", "Sid", "Payload", "Level"),
)


@dataclass
class Known:
    """What somebody who got in has: a session, a token, the ids of a call and of a transfer."""

    host: str
    cookie: str = ""
    token: str = ""
    names: dict[str, str] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    api: list[str] = field(default_factory=list)
    doors: list[str] = field(default_factory=list)


class Enemy:
    """One source of hostile requests; the same seed gives the same ones."""

    def __init__(self, known: Known, seed: int) -> None:
        self.known, self.chance = known, random.Random(seed)
        self.doors: dict[str, Callable[[], bytes]] = {
            "Twilio": self.twilio,
            "OpenAI": self.openai,
            "API": self.api,
            "sign-in": self.sign_in,
            "pages": self.page,
            "acts": self.act,
            "sockets": self.socket,
            "probes": self.probe,
            "wire": self.wire,
        }

    def one(self, *these: Any) -> Any:
        """Any of these."""
        return self.chance.choice(these)

    def maybe(self, share: float = 0.5) -> bool:
        """Heads."""
        return self.chance.random() < share

    def word(self) -> str:
        """Something nobody types."""
        return self.one(
            *WORDS, "".join(chr(self.chance.randrange(1, 0xD7FF)) for _ in range(self.chance.randrange(30)))
        )

    def form(self, names: tuple[str, ...]) -> dict[str, str]:
        """Some of these fields, with such words."""
        chosen = self.chance.sample(names, self.chance.randrange(min(len(names), 7)))
        return {name: self.word() for name in chosen}

    def value(self, depth: int = 3) -> Any:
        """Any JSON."""
        if depth == 0 or self.maybe(0.6):
            return self.one(None, True, -1, 2**80, 1e308, self.word())
        return self.one([self.value(depth - 1)] * 3, {self.word(): self.value(depth - 1) for _ in range(3)})

    def json(self, **about: Any) -> str:
        """An object, often one that is none."""
        deep = self.one("[", '{"a":') * self.one(10, 5000)
        whole = json.dumps({**about, **{name: self.value() for name in self.chance.sample(FIELDS, 3)}})
        return str(
            self.one(*[whole] * 8, whole[: len(whole) // 2], deep, json.dumps(self.value()), "", "\ufeff" + whole)
        )

    def filled(self, path: str) -> str:
        """The address with ids that are, or are not."""
        for name, value in self.known.names.items():
            other = quote(self.word()[:80].encode("utf-8", "replace"), safe="")
            path = path.replace(f"<{name}>", value if self.maybe(0.7) else other or "x")
        return "/" + re.sub(r"<\w+>", lambda _: self.one("1", "1", "0", "99999999999999999999", "x"), path)

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
        """On the wire, with a length that fits as a rule."""
        length = str(len(body)) if self.maybe(0.97) else self.one("-1", "0", "abc", "99999999999", str(len(body) + 5))
        told = {"Host": self.known.host, "Connection": "close", "Content-Length": length}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        if self.maybe(0.1):
            told[self.one("X-Forwarded-For", "Cookie", "Content-Type", "Host", "Accept-Language")] = self.word()[:200]
        lines = [f"{name}: {_line(value)}" for name, value in told.items()]
        return CRLF.join((f"{method} {path} HTTP/1.1", *lines, "", "")).encode("utf-8", "replace") + body

    def asked(self, path: str, names: tuple[str, ...] = FIELDS) -> str:
        """The address with a question that is none."""
        query = urlencode({name: value.encode("utf-8", "replace") for name, value in self.form(names).items()})
        return f"{path}?{query[:6000]}" if query and self.maybe(0.8) else path

    def signed_in(self) -> dict[str, str]:
        """A session's cookies with the token that a form needs, or with one that does not fit."""
        fits = "a" * 32
        return {
            "Cookie": f"sessionid={self.known.cookie if self.maybe(0.9) else self.word()}; csrftoken={fits}",
            "X_CSRFToken": fits if self.maybe(0.9) else self.word(),
            "Origin": f"http://{self.known.host}",
        }

    def posted(self, form: dict[str, str]) -> bytes:
        return urlencode({name: value.encode("utf-8", "replace") for name, value in form.items()}).encode()

    def twilio(self) -> bytes:
        """Half of it signed, as by somebody who has the token."""
        path = self.filled(self.one(*self.known.doors))
        form = {"CallSid": f"CA{self.chance.randrange(9):032x}", **self.form(CALLBACK)}
        form = {name: value.encode("utf-8", "replace").decode() for name, value in form.items()}
        headers = {"Content_Type": self.one(*[FORM] * 8, "application/json", "multipart/form-data")}
        if self.maybe(0.7):
            url = f"http://127.0.0.1:8000{path}"
            headers["X_Twilio_Signature"] = RequestValidator(MADE_UP["TWILIO_AUTH_TOKEN"]).compute_signature(url, form)
        body = self.posted(form) if self.maybe(0.95) else self.chance.randbytes(300)
        return self.request(self.one(*["POST"] * 9, "PUT"), path, body, **headers)

    def openai(self) -> bytes:
        """Half of it signed."""
        event = self.one("realtime.call.incoming", "live.call.incoming", "response.completed")
        calls = {
            "call_id": self.one("rtc_1", self.word()),
            "sip_headers": self.one([], [{"name": "From", "value": self.word()}], 7),
        }
        body = self.json(id="evt_1", type=event, data=calls).encode("utf-8", "replace")
        stamp = str(int(datetime.now(UTC).timestamp()) - self.one(*[0] * 8, 9999))
        key = base64.b64decode(MADE_UP["OPENAI_WEBHOOK_SECRET"].removeprefix("whsec_"))
        fits = base64.b64encode(hmac.new(key, f"wh_1.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
        signature = self.one(*[f"v1,{fits}"] * 6, self.word(), "v1,")
        headers = {"webhook_id": "wh_1", "webhook_timestamp": stamp, "webhook_signature": signature}
        return self.request("POST", "/webhooks/openai", body, Content_Type="application/json", **headers)

    def api(self) -> bytes:
        """With a good token, with a bad one, with none."""
        method, _, path = self.one(*self.known.api).partition(" ")
        path = self.asked(self.filled(path))
        tokens = [self.known.token] * 5
        headers = (
            {"Authorization": f"Bearer {self.one(*tokens, self.word(), '')}"} if self.maybe(0.9) else self.signed_in()
        )
        if self.maybe(0.3):
            headers["Idempotency_Key"] = self.word()
        body = self.json().encode("utf-8", "replace") if method == "POST" else b""
        return self.request(self.one(*[method] * 9, "PATCH"), path, body, Content_Type="application/json", **headers)

    def sign_in(self) -> bytes:
        """Names and passwords, with and without the form's token."""
        if self.maybe(0.3):
            return self.request("GET", self.asked("/login/"))
        cookie = {"Cookie": f"csrftoken={'a' * 32}", "X_CSRFToken": "a" * 32} if self.maybe() else {}
        form = {"username": self.word(), "password": self.word(), "next": self.one("//evil", self.word())}
        kind = self.one(*[FORM] * 5, "text/plain", f"multipart/form-data; boundary={'-' * 90}")
        return self.request("POST", "/login/", self.posted(form), Content_Type=kind, **cookie)

    def page(self) -> bytes:
        """Pages and files, as somebody who is signed in."""
        path = self.filled(
            self.one(*self.known.pages, "static/" + quote("../" * 5) + "manage.py", "<call_id>/%ff", "nowhere/")
        )
        return self.request(self.one(*["GET"] * 9, "HEAD"), self.asked(path), **self.signed_in())

    def act(self) -> bytes:
        """Forms that no page has."""
        kind = self.one(*[FORM] * 6, "multipart/form-data; boundary=x")
        path = self.filled(self.one(*self.known.acts))
        return self.request("POST", path, self.posted(self.form(FIELDS)), Content_Type=kind, **self.signed_in())

    def socket(self) -> bytes:
        """Handshakes, and then messages that nobody waits for."""
        path = self.asked(
            self.filled(self.one("ws/board/", "ws/calls/<call_id>/", "ws/nowhere/")), ("seq", "rev", "line", "q")
        )
        headers = {"Upgrade": "websocket", "Sec_WebSocket_Version": self.one(*["13"] * 9, "7", self.word())}
        headers["Sec_WebSocket_Key"] = (
            base64.b64encode(b"0123456789abcdef").decode() if self.maybe(0.9) else self.word()
        )
        origin = {
            "Origin": self.one(*[f"http://{self.known.host}"] * 6, "https://evil.example.com", "null", self.word())
        }
        told = {**self.signed_in(), **headers, **origin, "Connection": "Upgrade"}
        shake = self.request("GET", path, **told)
        frames = b"".join(self._frame() for _ in range(self.chance.randrange(4)))
        return shake + frames + b"\x88\x80\x00\x00\x00\x00"  # and a masked close

    def _frame(self) -> bytes:
        said = self.json().encode("utf-8", "replace")[:100]
        return bytes([self.one(0x81, 0x82, 0x80, 0xFF, 0x89), 0x80 | len(said), 0, 0, 0, 0]) + said

    def probe(self) -> bytes:
        """What load balancers ask, and more than that."""
        path, big = self.one("/healthz", "/readyz", "/metrics"), self.one(0, 0, 0, 5000)
        return self.request(
            self.one("GET", "GET", "POST"), self.asked(path), b"x" * big, X_Forwarded_For=self.word()[:99]
        )

    def wire(self) -> bytes:
        """What is no request, or two at once."""
        host, end = f"Host: {self.known.host}{CRLF}", f"Connection: close{CRLF}{CRLF}"
        verb, place = self.one("TRACE", "CONNECT", "BREW", "OPTIONS"), self.one("%00", "%ff%fe", "%c0%ae/", "%", "*")
        both = f"Content-Length: 4{CRLF}Transfer-Encoding: chunked{CRLF}{CRLF}0{CRLF}{CRLF}"
        requests = (
            f"GET /{'/' * 20_000} HTTP/1.1{CRLF}{CRLF}",
            f"GET / HTTP/1.1{CRLF}{host}{f'X: y{CRLF}' * 700}{CRLF}",
            f"POST /login/ HTTP/1.1{CRLF}{host}{both}",
            f"POST /twiml/inbound HTTP/1.1{CRLF}{host}Transfer-Encoding: chunked{CRLF}{CRLF}zz{CRLF}",
            f"GET http://evil.example.com/ HTTP/1.1{CRLF}{host}{end}",
            f"{verb} / HTTP/1.1{CRLF}{host}{end}",
            f"GET /{place} HTTP/1.1{CRLF}{host}{end}",
            f"POST /api/calls HTTP/1.1{CRLF}{host}Content-Length: 300000{CRLF}{CRLF}{'x' * 300_000}",
            f"GET / HTTP/9.9{CRLF}{host}{CRLF}",
        )
        noise = self.chance.randbytes(self.chance.randrange(1, 400))
        return noise if self.maybe(0.1) else str(self.one(*requests)).encode()


def _line(value: str) -> str:
    """A header's value that does not end its line; what would is in `wire`."""
    return value.replace("\r", " ").replace("\n", " ").replace("\x00", " ")
