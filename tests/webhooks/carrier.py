"""The carrier's side of the doors: signed requests as Twilio sends them, and its answers read."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree

from django.http import HttpResponse
from django.test import Client
from twilio.request_validator import RequestValidator

from callops.calls.models import Call, Leg
from callops.core import clock
from callops.core.config import config
from callops.sideband.models import Turn
from tests.rows import CALLER, OUR_NUMBER

FORM = "application/x-www-form-urlencoded"
AI_LEG = "CA" + "a" * 32
HUMAN_LEG = "CA" + "b" * 32

_deliveries = itertools.count(1)
_client = Client()


class Document:
    """An answered document, by its verbs."""

    def __init__(self, response: HttpResponse) -> None:
        assert response.status_code == 200, (response.status_code, response.content)
        assert response["Content-Type"].startswith("text/xml")
        assert response["Cache-Control"] == "no-store"
        self.text = response.content.decode()
        self.root = ElementTree.fromstring(self.text)

    @property
    def verbs(self) -> list[str]:
        return [verb.tag for verb in self.root]

    @property
    def dial(self) -> ElementTree.Element:
        (dial,) = self.root.findall("Dial")
        return dial

    @property
    def noun(self) -> ElementTree.Element:
        """Whom the document dials first; who stands in behind the AI is in `stands`."""
        return self.dial[0]

    @property
    def stands(self) -> list[str]:
        """Numbers rung after the AI, in order, without our being asked."""
        return [noun.text or "" for noun in self.dial if noun.tag == "Number"]

    @property
    def number(self) -> str | None:
        """Whom the document dials; None unless it is a `<Number>`."""
        return self.noun.text if self.verbs == ["Dial"] and self.noun.tag == "Number" else None

    @property
    def dials_the_ai(self) -> bool:
        return self.verbs == ["Dial"] and self.noun.tag == "Sip" and "X-Callops-Ref" in (self.noun.text or "")

    @property
    def sip_headers(self) -> dict[str, str]:
        """The headers that the SIP URI carries to the AI."""
        query = (self.noun.text or "").partition("?")[2]
        return {name: unquote(value) for name, _, value in (pair.partition("=") for pair in query.split("&"))}

    @property
    def action(self) -> str:
        return self.dial.attrib["action"]

    @property
    def status_url(self) -> str:
        return self.noun.attrib["statusCallback"]

    @property
    def screen_url(self) -> str | None:
        """Where the dialled leg gets its own document; None: it is bridged at once."""
        return self.noun.get("url")

    @property
    def gather(self) -> ElementTree.Element:
        (gather,) = self.root.findall("Gather")
        return gather

    @property
    def said(self) -> str:
        """What is spoken."""
        return " ".join(element.text or "" for element in self.root.iter("Say"))

    @property
    def redirect(self) -> str:
        return (self.root.findtext("Redirect") or "").strip()

    @property
    def urls(self) -> list[str]:
        """Every address the document hands out."""
        attributes = ("action", "referUrl", "statusCallback", "url")
        found = [element.attrib[name] for element in self.root.iter() for name in attributes if name in element.attrib]
        return found + [element.text or "" for element in self.root.iter("Redirect")]


def sign(url: str, params: Mapping[str, str]) -> str:
    """Twilio's own signature over our public address."""
    return str(RequestValidator(config().twilio_auth_tokens[0]).compute_signature(url, dict(params)))


def ask(url: str, *, method: str = "POST", delivery: str | None = "", **params: str) -> HttpResponse:
    """One signed request; `delivery` is its idempotency token (empty: a new one, None: without)."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    headers = {} if delivery is None else {"I-Twilio-Idempotency-Token": delivery or f"token-{next(_deliveries)}"}
    if method == "GET":
        extra = "&".join(f"{name}={value}" for name, value in params.items())
        path = f"{path}{'&' if parts.query else '?'}{extra}"
        signed = {"X-Twilio-Signature": sign(config().public_url + path, {})}
        return _client.get(path, headers={**headers, **signed})
    signed = {"X-Twilio-Signature": sign(config().public_url + path, params)}
    return _client.post(path, params, headers={**headers, **signed})


def document(url: str, **params: Any) -> Document:
    return Document(ask(url, **params))


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


class Caller:
    """One caller's leg at the carrier, and what the carrier tells of it."""

    def __init__(self, number: int = 1, **params: str) -> None:
        self.sid = f"CA{number:032x}"
        self.about = {"CallSid": self.sid, "From": CALLER, "To": OUR_NUMBER, "CallStatus": "in-progress", **params}

    @property
    def call(self) -> Call:
        return Call.objects.get(carrier_sid=self.sid)

    def rings(self, **params: Any) -> Document:
        return document("/twiml/inbound", **{**self.about, "CallStatus": "ringing", **params})

    def live(self) -> Document:
        """The AI answered and its sideband is open; the document is the one that dialled it."""
        answer = self.rings()
        self.leg(answer.status_url, AI_LEG, "in-progress", sequence=2)
        Call.objects.filter(carrier_sid=self.sid).update(
            state="live", ai_session="open", ai_call_id=f"rtc_{self.sid[-4:]}"
        )
        Turn.objects.create(
            call=self.call, item_id="greeting", position=1, speaker="assistant", text="Hello.", started_at=clock.now()
        )
        return answer

    def leg(self, url: str, sid: str, status: str, *, sequence: int, **params: Any) -> None:
        """A leg that was dialled for this caller has this status."""
        about = {"CallSid": sid, "ParentCallSid": self.sid, "CallStatus": status, "SequenceNumber": str(sequence)}
        assert ask(url, **{**about, **params}).status_code == 204

    def screened(self, url: str, sid: str, **params: Any) -> Document:
        """A screened leg asks for its own document, or tells the key that was pressed."""
        return document(url, **{"CallSid": sid, "ParentCallSid": self.sid, "CallStatus": "in-progress", **params})

    def dial_ends(self, action: str, status: str = "completed", *, child: str = AI_LEG, **params: Any) -> Document:
        """A dial on the caller's leg ended and the carrier asks where to go on."""
        about = {
            "DialCallStatus": status,
            "DialCallSid": child,
            "DialBridged": "true" if status == "completed" else "false",
        }
        if child == AI_LEG:
            about["DialSipCallId"] = f"{AI_LEG[2:]}@0.0.0.0"
        return document(action, **{**self.about, **about, **params})

    def fetches(self, url: str, **params: Any) -> Document:
        return document(url, **{**self.about, **params})

    def status_of(self, sid: str) -> str:
        return Leg.objects.get(sid=sid).status
