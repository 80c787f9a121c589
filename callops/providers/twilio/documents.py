"""The documents we answer the carrier with (contract Twilio 2); every one of them has a way out for the caller.

Relative URLs are allowed: Twilio resolves them against the document's own URL.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from twilio.twiml.voice_response import Dial, VoiceResponse

from callops.providers import targets

STATUS_EVENTS = "initiated ringing answered completed"
MAX_HEADER_CHARACTERS = 1024
MAX_NOUNS = 10

_HEADER_NAME = re.compile(
    r"(?:x-[a-z0-9-]{1,64}|user-to-user|remote-party-id|p-preferred-identity|p-called-party-id)", re.IGNORECASE
)
_CALLER_ID = re.compile(r"[A-Za-z0-9+._-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Stand:
    """A person who stands in, at `tel:+E164` or `sip:user@host`, and where his leg reports to."""

    target_uri: str
    status_url: str
    screen_url: str | None = None


@dataclass(frozen=True, slots=True)
class AiDial:
    """The dial that connects the caller with the AI. The carrier adds about 5 s to `timeout_s`."""

    sip_uri: str
    headers: tuple[tuple[str, str], ...]
    action_url: str
    refer_url: str
    status_url: str
    timeout_s: int = 8
    time_limit_s: int = 3600
    answer_on_bridge: bool = True
    tries: int = 1
    """How often the AI is dialled, one try after the other, before the others."""
    then: tuple[Stand, ...] = ()
    """Who is rung after the AI, one after the other, without our being asked (contract Twilio 2.1, 8)."""


@dataclass(frozen=True, slots=True)
class HumanDial:
    """The dial that connects the caller with a person, at `tel:+E164` or `sip:user@host`."""

    target_uri: str
    action_url: str
    status_url: str
    timeout_s: int = 20
    caller_id: str | None = None
    screen_url: str | None = None
    """Whose document runs on the person's leg before anybody is bridged (contract Twilio 2.4); None: no screening."""


def dial_ai(dial: AiDial) -> str:
    """Dials the AI with our own SIP headers; with `answer_on_bridge` a failed REFER gives the caller back to the AI.

    More than one noun are dialled one after the other (`sequential`), and the first that answers is the last.

    Raises `ValueError` naming the limit when the URI, its headers or the times are not what Twilio takes (2.1, 2.4).
    """
    uri = _sip_uri(dial.sip_uri, dial.headers)
    response = VoiceResponse()
    verb = response.dial(
        action=dial.action_url,
        method="POST",
        refer_url=dial.refer_url,
        refer_method="POST",
        answer_on_bridge=dial.answer_on_bridge,
        timeout=_within("timeout_s", dial.timeout_s, 5, 600),
        time_limit=_within("time_limit_s", dial.time_limit_s, 1, 86_400),
        sequential=True if dial.tries + len(dial.then) > 1 else None,
    )
    for _ in range(_within("tries", dial.tries, 1, MAX_NOUNS - len(dial.then))):
        verb.sip(uri, **_status(dial.status_url))
    for stand in dial.then:
        _ring(verb, targets.checked(stand.target_uri), stand.status_url, stand.screen_url)
    return str(response)


def dial_human(dial: HumanDial, *, say: str | None = None, language: str = "en-US") -> str:
    """Says the words if there are any, then dials the person on the caller's own leg.

    Raises `ValueError` for a target or caller id that is not of the allowed form.
    """
    target = targets.checked(dial.target_uri)
    response = _spoken(say, language)
    verb: Dial = response.dial(
        action=dial.action_url,
        method="POST",
        timeout=_within("timeout_s", dial.timeout_s, 5, 600),
        caller_id=_caller_id(dial.caller_id),
    )
    _ring(verb, target, dial.status_url, dial.screen_url)
    return str(response)


def ask_for_key(words: str, action_url: str, *, timeout_s: int = 8, language: str = "en-US") -> str:
    """Says the words on the person's leg and waits for one key, which goes to `action_url`; without one it hangs up."""
    response = VoiceResponse()
    gather = response.gather(
        action=action_url, method="POST", num_digits=1, timeout=_within("timeout_s", timeout_s, 1, 60)
    )
    gather.say(_speakable(words), language=language)
    response.hangup()
    return str(response)


def bridge_then_redirect(url: str, pause_s: int = 3) -> str:
    """Holds the caller, then fetches `url`: harmless when ignored, safe when a redirect was lost (3.3)."""
    response = VoiceResponse()
    response.pause(length=_within("pause_s", pause_s, 1, 60))
    response.redirect(url, method="POST")
    return str(response)


def ring_by_heart(uris: Sequence[str], action_url: str, *, timeout_s: int = 20) -> str:
    """Rings these people one after the other, without anything that asks us on the way (contract Twilio 2.1)."""
    response = VoiceResponse()
    verb = response.dial(action=action_url, method="POST", timeout=timeout_s, sequential=True)
    for uri in uris[:MAX_NOUNS]:
        target = targets.checked(uri)
        if number := targets.tel_number(target):
            verb.number(number)
        else:
            verb.sip(target)
    return str(response)


def hang_up(words: str | None = None, language: str = "en-US") -> str:
    """Says the words if there are any and ends the caller's leg."""
    response = _spoken(words, language)
    response.hangup()
    return str(response)


def apology(words: str, language: str = "en-US") -> str:
    """Tells the caller, after a moment of silence, that nobody can be reached, and ends the leg."""
    response = VoiceResponse()
    response.pause(length=1)
    response.say(_speakable(words), language=language)
    response.hangup()
    return str(response)


def empty() -> str:
    """Nothing more to do: lets a screened person through, and is ignored on the leg of a caller who is gone.

    On a request whose caller should stay, Twilio would hang up (contract Twilio 1.2).
    """
    return str(VoiceResponse())


def _spoken(words: str | None, language: str) -> VoiceResponse:
    response = VoiceResponse()
    if words:
        response.say(_speakable(words), language=language)
    return response


def _speakable(words: str) -> str:
    """The words without characters that XML cannot hold; one of them would cost the caller the whole document."""
    return _NOT_XML.sub("", words)


def _ring(verb: Dial, target: str, status_url: str, screen_url: str | None) -> None:
    screened = {"url": screen_url, "method": "POST"} if screen_url else {}
    if number := targets.tel_number(target):
        verb.number(number, **_status(status_url), **screened)
    else:
        verb.sip(target, **_status(status_url), **screened)


def _status(url: str) -> dict[str, str]:
    # One string: the library writes a list as its Python text (contract Twilio 2.4).
    return {"status_callback": url, "status_callback_method": "POST", "status_callback_event": STATUS_EVENTS}


def _sip_uri(uri: str, headers: tuple[tuple[str, str], ...]) -> str:
    if len(uri) >= targets.MAX_URI:
        raise ValueError(f"a SIP URI must stay below {targets.MAX_URI} characters, this one has {len(uri)}")
    if not targets.is_sip(uri):
        raise ValueError(f"not a SIP URI: {uri!r:.80}")
    part = "&".join(f"{_header_name(name)}={_header_value(name, value)}" for name, value in headers)
    if len(part) >= MAX_HEADER_CHARACTERS:
        raise ValueError(f"SIP headers must stay below {MAX_HEADER_CHARACTERS} characters, these have {len(part)}")
    return f"{uri}?{part}" if part else uri


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"a SIP header must start with X-, not {name!r:.80}")
    return name


def _header_value(name: str, value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError(f"the SIP header {name} holds a control character")
    return quote(value, safe="")


def _caller_id(value: str | None) -> str | None:
    if value is not None and not _CALLER_ID.fullmatch(value):
        raise ValueError(f"a caller id has letters, digits and +-_. only, not {value!r:.80}")
    return value


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError(f"{name} must be {low} to {high}, not {value}")
    return value
