"""What was said is kept as long as it should be: clocks, holds, erasure of one caller, and their copy."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from callops.audit import chain
from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, CallBack, Event
from callops.calls.words import Lane, State
from callops.custody import clocks, erasing, holding
from callops.custody.models import Hold
from callops.custody.scrubbing import ERASED, forms, scrub
from callops.sideband.models import FrameBatch, Turn
from callops.sideband.packing import packed
from callops.transfers.models import TransferAttempt
from tests.rows import CALLER, NOON, at, make_attempt, make_call, make_destination, make_line, make_session

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
SAID = "my knee hurts"


def finished_call(number: str = CALLER, **fields: Any) -> Call:
    """A call that is over, on which something was said."""
    call = make_call(make_line(number=f"+1555010{Call.objects.count()}"), from_number=number, **fields)
    session = make_session(call)
    Turn.objects.create(call=call, item_id="item_1", position=0, speaker="caller", text=SAID, started_at=NOON)
    frame = (1, json.dumps({"type": "x", "said": SAID}).encode())
    FrameBatch.objects.create(session=session, first=0, count=1, received_at=NOON, packed=packed([frame]))
    body = {"text": SAID, "item_id": "item_1", "speaker": "caller"}
    timeline.note(call, at=NOON, kind=Kind.OPENAI_TURN, lane=Lane.CALLER, body=body)
    params = {"From": number, "FromCity": "OAKLAND", "CallSid": call.carrier_sid, "To": call.to_number}
    timeline.note(call, at=NOON, kind=Kind.CARRIER_INBOUND, lane=Lane.CARRIER, body={"params": params})
    Call.objects.filter(pk=call.pk).update(**{"state": State.ENDED, "ended_at": at(60), **fields})
    return Call.objects.get(pk=call.pk)


def everything(call: Call) -> str:
    """All that can be read of the call in the database."""
    facts = [event.body for event in Event.objects.filter(call=call)]
    turns = list(Turn.objects.filter(call=call).values_list("text", flat=True))
    told = list(TransferAttempt.objects.filter(call=call).values_list("summary", "reason"))
    return json.dumps([facts, turns, told, Call.objects.values_list("from_number", flat=True).get(pk=call.pk)])


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_nothing_is_deleted_as_long_as_no_clock_is_set() -> None:
    call = finished_call()

    assert not clocks.run(NOON + 10_000 * DAY)
    assert SAID in everything(call)
    assert "kept for good" in run("retain")


def test_a_transcript_goes_when_its_time_has_come_and_the_skeleton_stays(configure) -> None:
    configure(keep_transcripts_days=30)
    call = finished_call()
    assert not clocks.run(NOON + 29 * DAY)

    done = clocks.run(NOON + 31 * DAY)

    assert done["calls without transcript"] == 1
    assert SAID not in everything(call)
    assert not FrameBatch.objects.exists()
    facts = [event.kind for event in timeline.since(call.pk, 0)]
    assert facts == [Kind.OPENAI_TURN, Kind.CARRIER_INBOUND, Kind.CLOCK_FORGOTTEN]
    assert not clocks.run(NOON + 32 * DAY)


def test_frames_have_a_clock_of_their_own(configure) -> None:
    configure(keep_frames_days=7, keep_transcripts_days=30)
    call = finished_call()

    clocks.run(NOON + 8 * DAY)

    assert not FrameBatch.objects.exists()
    assert SAID in everything(call)


def test_a_call_on_hold_and_one_that_is_not_over_outlive_the_clocks(configure) -> None:
    configure(keep_transcripts_days=30)
    held, live = finished_call(), finished_call(ended_at=None, state=State.LIVE)
    holding.place(held, why="lawsuit 17", by="nora", now=NOON)

    clocks.run(NOON + 31 * DAY)
    assert SAID in everything(held)
    assert SAID in everything(live)

    assert holding.lift(held, by="nora", now=NOON + 32 * DAY)
    clocks.run(NOON + 33 * DAY)
    assert SAID not in everything(held)


def test_the_audit_has_a_clock_of_its_own(configure) -> None:
    configure(keep_audit_days=90)
    chain.record("ada", "open call", now=NOON)
    chain.record("ada", "open call", now=NOON + 50 * DAY)

    done = clocks.run(NOON + 91 * DAY)

    assert done == {"entries of the audit": 1}
    assert chain.first_fault() is None
    assert not clocks.run(NOON + 92 * DAY)


def test_sessions_that_ran_out_leave_no_row_behind(configure) -> None:
    configure()
    for key, expires in (("out", NOON - DAY), ("in", NOON + DAY)):
        Session.objects.create(session_key=key, session_data="", expire_date=expires)

    assert clocks.run(NOON) == {"sessions that ran out": 1}
    assert Session.objects.get().session_key == "in"


def test_one_process_at_a_time_runs_the_clocks(configure) -> None:
    configure(keep_transcripts_days=1)
    for _ in range(2):
        finished_call()

    assert clocks.run_in_turn(NOON + 3 * DAY)["calls without transcript"] == 2
    finished_call()
    assert not clocks.run_in_turn(NOON + 3 * DAY + timedelta(minutes=1))


def test_a_caller_is_erased_from_everything_that_can_be_read() -> None:
    make_destination()
    mine, other = finished_call(), finished_call("+15550177")
    Call.objects.filter(pk=mine.pk).update(state=State.LIVE)
    mine.refresh_from_db()
    make_attempt(mine, summary=SAID, reason="billing")
    Call.objects.filter(pk=mine.pk).update(state=State.ENDED)
    CallBack.objects.create(call=mine, number=CALLER, why="busy", opened_at=NOON, last_at=NOON)
    log = {"at": NOON, "kind": Kind.CARRIER_ALERT, "lane": Lane.CARRIER, "source": "t", "source_id": "1"}
    timeline.log(**log, body={"text": f"call from {CALLER.replace('+', '%2B')}"})

    report = erasing.erase(CALLER, by="nora", now=at(99))

    assert report.is_complete
    assert report.erased == [{"call": mine.pk, "twilio": mine.carrier_sid, "openai": mine.ai_call_id}]
    for trace in (SAID, CALLER.removeprefix("+"), "OAKLAND", "billing"):
        assert trace not in everything(mine)
    assert Event.objects.of_no_call().get().body == {"text": f"call from {ERASED}"}
    assert CallBack.objects.get().number == ""
    assert CallBack.objects.get().done_at == at(99)
    assert SAID in everything(other)
    assert mine.carrier_sid in everything(mine)


def test_a_dry_run_changes_nothing_and_says_what_would_go(tmp_path: Path) -> None:
    call = finished_call()
    before = everything(call)

    said = run("erase_caller", CALLER, "--dry-run", "--report", str(tmp_path / "report.json"))

    assert "Would erase 1 calls" in said
    assert everything(call) == before
    assert json.loads((tmp_path / "report.json").read_text())["erased"][0]["call"] == call.pk


def test_calls_that_must_be_left_are_named_and_the_exit_is_not_zero() -> None:
    held, live = finished_call(), finished_call(ended_at=None, state=State.LIVE)
    run("hold", held.carrier_sid, "--why", "lawsuit 17")
    out = StringIO()

    with pytest.raises(CommandError, match="Not everything"):
        call_command("erase_caller", CALLER, stdout=out)

    assert f"Left, on hold: {held.pk}" in out.getvalue()
    assert f"Left, not over yet: {live.pk}" in out.getvalue()
    assert SAID in everything(held)


def test_a_hold_needs_a_reason_stands_once_and_is_listed() -> None:
    call = finished_call()
    with pytest.raises(CommandError, match="--why"):
        run("hold", call.pk)
    with pytest.raises(CommandError, match="no call"):
        run("hold", "nobody", "--why", "x")
    run("hold", call.pk, "--why", "lawsuit 17")
    run("hold", call.ai_call_id, "--why", "again")

    assert Hold.objects.count() == 1
    assert "lawsuit 17" in run("hold")
    assert "is lifted" in run("hold", call.pk, "--lift")
    assert "No hold stood" in run("hold", call.pk, "--lift")
    assert "No call is on hold." in run("hold")


def test_a_caller_gets_everything_that_is_kept_and_no_key_of_our_doors(tmp_path: Path) -> None:
    call = finished_call()
    finished_call("+15550177")

    run("export_caller", CALLER, str(tmp_path / "out.jsonl"))

    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {row["what"] for row in rows} >= {"call", "leg", "fact", "line of transcript", "frame"}
    assert [row["frame"]["said"] for row in rows if row["what"] == "frame"] == [SAID]
    assert call.token not in (tmp_path / "out.jsonl").read_text()
    assert "+15550177" not in (tmp_path / "out.jsonl").read_text()
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="cannot be written"):
        run("export_caller", CALLER, str(tmp_path / "out.jsonl"))


@pytest.mark.parametrize("number", ["5550123", "+0", "withheld", ""])
def test_only_a_number_is_taken_for_a_number(number: str) -> None:
    with pytest.raises(CommandError, match="E\\.164"):
        run("erase_caller", number)


def test_a_number_goes_in_every_form_and_nothing_that_only_looks_like_it() -> None:
    numbers = forms("+14155550123")
    told = {
        "a": "+14155550123",
        "b": ["%2B14155550123;x", "sip:4155550123@h"],
        "c": "CA14155550123",
        "FromCity": "X",
        "n": 7,
    }

    clean = scrub(told, numbers)

    assert clean == {
        "a": ERASED,
        "b": [f"{ERASED};x", f"sip:{ERASED}@h"],
        "c": "CA14155550123",
        "FromCity": ERASED,
        "n": 7,
    }


JSON = st.recursive(st.none() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one))


@given(JSON)
def test_whatever_was_told_keeps_its_shape_and_is_scrubbed_once(told: Any) -> None:
    once = scrub(told, forms(CALLER))

    assert scrub(once, forms(CALLER)) == once
    assert type(once) is type(told)
