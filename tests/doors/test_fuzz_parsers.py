"""What others write is read or refused, never a surprise: frames, SIP addresses, `Refer-To`, webhooks, callbacks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.providers import targets
from callops.providers.identifiers import is_identifier
from callops.providers.numbers import address_in, e164, number_in
from callops.providers.openai import sip_headers, webhook
from callops.providers.openai.frames import Frame, Garbage, decode
from callops.providers.openai.sip_headers import SipHeader
from callops.providers.twilio import alerts, callbacks
from callops.providers.twilio.callbacks import refer_target
from callops.sideband.transcript import Transcript
from callops.sideband.wire import worth_a_row

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CONTRACTS = Path(__file__).resolve().parents[1] / "contracts"
FRAMES = [
    json.loads(line)["event"]
    for line in (CONTRACTS / "openai" / "sideband-call-transferred.jsonl").read_text().splitlines()
]

HINTS = get_type_hints(Frame)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
sip_like = st.text(alphabet='"<>\\@;:?&=+%[]., 0123456789siptelABC\r\n\x00\u202eé', max_size=120) | st.text(
    max_size=120
)


@st.composite
def near_frames(draw: st.DrawFn) -> bytes:
    """A frame as OpenAI sends it, with some of its fields somebody else's, cut or with a byte turned."""
    frame = dict(draw(st.sampled_from(FRAMES)))
    frame.update(draw(st.dictionaries(st.sampled_from([*HINTS, *frame]), anything, max_size=4)))
    raw = bytearray(json.dumps(frame).encode())
    for _ in range(draw(st.integers(0, 2))):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    return bytes(raw[: draw(st.integers(0, len(raw)))]) if draw(st.booleans()) else bytes(raw)


def read(raw: bytes | str) -> Frame | None:
    try:
        return decode(raw)
    except Garbage:
        return None


def as_declared(value: Any, hint: Any) -> bool:
    """Whether a field holds what its declaration says, one level deep."""
    kinds = tuple(getattr(each, "__origin__", each) for each in (get_args(hint) or (hint,)))
    return Any in kinds or isinstance(value, tuple(kind for kind in kinds if isinstance(kind, type)))


@given(near_frames() | st.binary(max_size=200) | anything.map(json.dumps))
def test_a_frame_is_read_as_declared_or_is_garbage(raw: bytes | str) -> None:
    frame = read(raw)

    if frame is not None:
        assert frame.type
        assert all(as_declared(getattr(frame, name), hint) for name, hint in HINTS.items())
        assert worth_a_row(frame) in (True, False)


@pytest.mark.parametrize("bracket", ["[", '{"a":'])
def test_a_frame_as_deep_as_it_is_long_is_garbage(bracket: str) -> None:
    with pytest.raises(Garbage):
        decode(bracket * 100_000)


@given(st.lists(near_frames(), max_size=25))
def test_whatever_frames_come_the_transcript_can_be_written_and_read_again(raws: list[bytes]) -> None:
    talk = Transcript()

    for frame in filter(None, map(read, raws)):
        talk.fold(frame, NOON)

    assert all(isinstance(turn.text, str) for turn in talk.turns())
    assert Transcript.load(talk.dump()).turns() == talk.turns()


@given(sip_like)
def test_a_refer_to_becomes_one_bare_address(value: str) -> None:
    found = refer_target(value)

    assert found == found.partition("?")[0]
    assert found in value
    number = number_in(value)
    assert number is None or e164(number) == number


@given(
    st.from_regex(r"\+[1-9][0-9]{4,14}", fullmatch=True), st.sampled_from(['"A, \\"B\\" <x>" ', "Ann ", ""]), sip_like
)
def test_the_number_of_a_refer_to_is_found_whatever_stands_around_it(number: str, name: str, more: str) -> None:
    behind = more.replace(">", "")

    assert (
        number_in(f"{name}<tel:{number};{behind}>;tag=1") == (None if "<" in behind else e164(number)) or "<" in behind
    )
    assert refer_target(f"{name}<sip:{number}@example.com>{more}") == f"sip:{number}@example.com"


@given(
    sip_like, st.sampled_from(["sip:desk@pbx.example.com", "tel:+15550100", "sip:a@[2001:db8::1]:5060;transport=tls"])
)
def test_an_address_that_may_be_dialled_has_no_header_in_it_and_no_way_out(tail: str, good: str) -> None:
    for uri in (tail, good + tail, f"sip:{tail}@x", f"sip:a@{tail}"):
        try:
            checked = targets.checked(uri)
        except ValueError:
            continue
        assert checked == uri and len(uri) < targets.MAX_URI
        assert uri.isascii() and not set(uri) & set('\r\n\t\x00 "<>?\\^`{|}#')
        assert address_in(uri) == uri


@given(st.lists(st.tuples(st.text(max_size=12), sip_like), max_size=6), st.text(max_size=12))
def test_headers_of_a_call_are_looked_up_by_name_only(pairs: list[tuple[str, str]], name: str) -> None:
    headers = [SipHeader(*pair) for pair in pairs]

    assert sip_headers.first(headers, name) in {None, *(header.value for header in headers)}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": anything,
            "type": st.sampled_from(["realtime.call.incoming", "live.call.incoming"]) | anything,
            "created_at": anything,
            "data": anything
            | st.fixed_dictionaries(
                {}, optional={"call_id": st.just("rtc_1") | anything, "sip_headers": st.lists(anything) | anything}
            ),
        },
    ).map(lambda event: json.dumps(event).encode())
    | st.binary(max_size=200)
)
def test_a_webhook_is_an_event_with_a_usable_call_or_malformed(body: bytes) -> None:
    try:
        event = webhook.parse(body)
    except webhook.Malformed:
        return

    assert event.id and event.type
    assert event.call_id is None or is_identifier(event.call_id)


FIELDS = ["CallSid", "From", "To", "SequenceNumber", "Timestamp", "DialBridged", "DialSipResponseCode", "CallDuration"]
FIELDS += ["ReferTransferTarget", "Digits", "ErrorCode", "ParentCallSid", "Sid", "Level", "Payload", "AccountSid"]


@given(st.dictionaries(st.sampled_from(FIELDS), st.just("CA1") | sip_like | anything.map(json.dumps)))
def test_a_callback_and_an_alert_are_read_or_malformed(form: dict[str, str]) -> None:
    for parse in (callbacks.parse, alerts.parse):
        try:
            said = parse(form)
        except callbacks.Malformed:
            continue
        assert said.raw == form
