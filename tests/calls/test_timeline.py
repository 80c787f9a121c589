"""The timeline: facts once, in order, read after a cursor."""

from __future__ import annotations

import pytest

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Event
from callops.calls.timeline import NewEvent
from callops.calls.words import Lane
from tests.rows import NOON, kinds, make_call

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    return make_call()


def tell(call: Call, source_id: str | None = None, **body: object) -> Event | None:
    known = {"source": "twilio", "source_id": source_id}
    return timeline.append(call, at=NOON, kind=Kind.CARRIER_LEG, lane=Lane.CARRIER, body=body, **known)


def test_facts_are_numbered_from_one_without_gaps(call: Call) -> None:
    tell(call)
    new = NewEvent(at=NOON, kind=Kind.OPENAI_DTMF, lane=Lane.CALLER)
    timeline.append_many(call.pk, [new, new])
    tell(call)

    assert [event.seq for event in timeline.since(call.pk, 0)] == [1, 2, 3, 4]
    assert kinds(call) == ["carrier.leg", "openai.dtmf", "openai.dtmf", "carrier.leg"]


def test_a_repetition_of_the_provider_is_not_written_again_and_takes_no_number(call: Call) -> None:
    assert tell(call, "leg:CA1:2") is not None
    assert tell(call, "leg:CA1:2", other="body") is None
    last = tell(call, "leg:CA1:3")

    assert last is not None
    assert last.seq == 2


def test_facts_without_an_identity_are_all_kept(call: Call) -> None:
    assert tell(call) is not None
    assert tell(call) is not None


def test_reading_goes_on_after_the_cursor(call: Call) -> None:
    for _ in range(5):
        tell(call)

    assert [event.seq for event in timeline.since(call.pk, 2)] == [3, 4, 5]
    assert [event.seq for event in timeline.since(call.pk, 2, limit=2)] == [3, 4]
    assert timeline.since(call.pk, 5) == []


def test_two_calls_are_numbered_apart(call: Call) -> None:
    other = make_call()
    tell(call)
    tell(other)

    assert [event.seq for event in timeline.since(other.pk, 0)] == [1]


def test_nothing_to_append_is_nothing(call: Call) -> None:
    assert timeline.append_many(call.pk, []) == []


def test_a_fact_of_no_call_is_kept_once() -> None:
    known = {"at": NOON, "kind": Kind.OPENAI_WEBHOOK, "lane": Lane.OPENAI, "source": "openai"}

    assert timeline.log(body={"n": 1}, source_id="wh_1", **known) is not None
    assert timeline.log(body={"n": 2}, source_id="wh_1", **known) is None
    assert timeline.log(body={"n": 3}, source_id=None, **known) is not None
    assert [event.body["n"] for event in Event.objects.order_by("pk")] == [1, 3]


def test_a_nul_in_a_body_or_an_identity_is_replaced_because_the_database_refuses_it(call: Call) -> None:
    first = tell(call, "leg:\x00", params={"From": "a\x00b"})
    many = timeline.append_many(
        call.pk, [NewEvent(at=NOON, kind=Kind.OPENAI_TURN, lane=Lane.CALLER, body={"text": "\x00"})]
    )
    kept = timeline.log(
        at=NOON, kind=Kind.OPENAI_WEBHOOK, lane=Lane.OPENAI, body={"raw": ["\x00"]}, source="openai", source_id="\x00"
    )

    assert first is not None
    assert kept is not None
    assert (first.source_id, first.body) == ("leg:\ufffd", {"params": {"From": "a\ufffdb"}})
    assert many[0].body == {"text": "\ufffd"}
    assert (kept.source_id, kept.body) == ("\ufffd", {"raw": ["\ufffd"]})


def test_an_identity_longer_than_its_column_still_tells_facts_apart(call: Call) -> None:
    assert tell(call, "x" * 400 + "a") is not None
    assert tell(call, "x" * 400 + "b") is not None
    assert tell(call, "x" * 400 + "a") is None
    assert {len(identity) for identity in Event.objects.values_list("source_id", flat=True)} == {200}
