"""Server events of the sideband, decoded."""

import json

import pytest

from callops.providers.openai.frames import Garbage, decode
from tests.providers import contracts

FILES = [name for folder in ("events", "event-variants", "live-events") for name in contracts.files(f"openai/{folder}")]


@pytest.mark.parametrize("name", FILES)
def test_every_event_of_the_contract_is_decoded(name: str) -> None:
    frame, event = decode(contracts.raw(name)), contracts.read(name)

    assert frame.type == event["type"]
    assert frame.event_id == event.get("event_id")
    assert frame.item_id == event.get("item_id")
    if isinstance(event.get("item"), dict):
        assert frame.item is not None
        assert frame.item.id == event["item"]["id"]
        assert frame.item.arguments == event["item"].get("arguments")
    if isinstance(event.get("response"), dict):
        assert frame.response is not None
        assert frame.response.usage == event["response"]["usage"]
        assert frame.response.status_details == event["response"]["status_details"]


@pytest.mark.parametrize("name", ["sideband-call", "sideband-call-transferred"])
def test_every_frame_of_a_whole_call_keeps_its_text(name: str) -> None:
    events = [json.loads(line)["event"] for line in contracts.raw(f"openai/{name}.jsonl").splitlines()]

    frames = [decode(json.dumps(event).encode()) for event in events]

    assert len(frames) > 300
    assert [frame.type for frame in frames] == [event["type"] for event in events]
    assert [frame.delta for frame in frames] == [event.get("delta") for event in events]
    assert [frame.transcript for frame in frames] == [event.get("transcript") for event in events]
    assert [frame.previous_item_id for frame in frames] == [event.get("previous_item_id") for event in events]


def test_a_key_press_has_no_event_id() -> None:
    frame = decode(contracts.raw("openai/events/input_audio_buffer.dtmf_event_received.json"))

    assert (frame.event, frame.received_at, frame.event_id) == ("1", 1795192953, None)


def test_text_and_bytes_are_the_same() -> None:
    raw = contracts.raw("openai/events/error.json")

    assert decode(raw.decode()) == decode(raw)


def test_a_field_of_an_unexpected_type_does_not_cost_the_frame() -> None:
    frame = decode(b'{"type":"x.delta","delta":"Hi","output_index":"zero","item":5,"error":{"code":503}}')

    assert frame.delta == "Hi"
    assert frame.output_index is None
    assert frame.item is None
    assert frame.error is not None
    assert frame.error.code == 503


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b'"text"', b"{}", b'{"type":""}', b'{"type":5}', b'{"type":null}', b"\xff\xfe",
     b'{"type":"x"', b"[" * 100_000, b'{"type":"x","more":' + b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_event_is_garbage(raw: bytes) -> None:
    with pytest.raises(Garbage):
        decode(raw)
