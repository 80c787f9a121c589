"""Where a leg gets its TwiML from, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urldefrag

from callops.simulator.twilio.courier import Answer
from callops.simulator.twilio.twiml import TwimlError, Verb, parse

XML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})


@dataclass(frozen=True, slots=True)
class Source:
    """A document still to be fetched: by URL, or written in place."""

    url: str = ""
    method: str = "POST"
    inline: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What is added to the standard parameters."""
    purpose: str = "document"
    status: str | None = None
    """`CallStatus` to send instead of the leg's own."""
    fallback_url: str | None = None
    fallback_method: str = "POST"
    is_fallback: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document and the URL that its relative URLs were resolved against."""

    verbs: tuple[Verb, ...]
    url: str = ""


def read_answer(answer: Answer) -> Document:
    """What Twilio makes of an answer by its content type; `TwimlError` when nothing (contract Twilio 1.2)."""
    if answer.content_type in XML_TYPES:
        return Document(parse(answer.body, answer.url), answer.url)
    if answer.content_type == "text/plain":
        return _plain(answer)
    if answer.content_type.startswith("audio/"):
        return Document((Verb("Play", {}, answer.url), Verb("Hangup", {})), answer.url)
    raise TwimlError(12300, f"Invalid Content-Type: {answer.content_type or 'none'}", answer.url)


def read_inline(text: str) -> Document:
    """A document that came in a REST request."""
    return Document(parse(text, None))


def _plain(answer: Answer) -> Document:
    try:
        return Document(parse(answer.body, answer.url), answer.url)
    except TwimlError:
        return Document((Verb("Say", {}, answer.body.strip()),), answer.url)


def error_parameters(code: int, url: str) -> dict[str, str]:
    """What a fallback request says about the failure (contract Twilio 1.4)."""
    return {"ErrorCode": str(code), "ErrorUrl": urldefrag(url).url}
