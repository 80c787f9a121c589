"""A call as a fixture: what the facts show is a knob the simulator has, and nobody's number is in it."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command

from callops.calls.kinds import Kind
from callops.reports.bundle import bundle
from callops.reports.checking import Unreadable, fixture_of
from callops.reports.fixture import CALLER, as_json, knobs, lines
from callops.reports.gathering import gather
from callops.reports.masking import masked
from callops.reports.record import CallRecord, Happening
from callops.simulator.openai.conversations import Conversation
from callops.simulator.openai.written import BadLine, lines_of
from callops.simulator.scenarios import overridden, scenario_named
from callops.site import simulation
from tests.reports.cases import record, row, said, silent_refer
from tests.reports.test_bundle import HOSTILE
from tests.rows import at

REFER = row(10, Kind.US_REFER_ASKED, 20, deadline_at=at(24).isoformat(), transfer="01MOVE", target_uri="tel:+15550111")


def answered(kind: Kind, seconds: float, **body: Any) -> Happening:
    return row(11, kind, seconds, **{"transfer": "01MOVE", "duration_ms": 616, **body})


def seen(seconds: float) -> Happening:
    return row(12, Kind.CARRIER_REFER, seconds, target="tel:+15550111")


REDIRECT = row(20, Kind.US_REDIRECT_ASKED, 25, transfer="01MOVE")
REDIRECT_AGAIN = row(22, Kind.US_REDIRECT_ASKED, 27, transfer="01MOVE")
CASES: list[tuple[list[Happening], dict[str, Any]]] = [
    ([REFER, answered(Kind.OPENAI_REFER_ANSWERED, 20.6, status=200)], {"refer": "silent", "refer_latency_s": 0.616}),
    (
        [REFER, answered(Kind.OPENAI_REFER_ANSWERED, 20.6, status=200, request_id="req_1")],
        {"refer": "named_silent", "refer_latency_s": 0.616},
    ),
    (
        [REFER, answered(Kind.OPENAI_REFER_ANSWERED, 20.6, status=200), seen(21)],
        {"refer": "works", "refer_latency_s": 0.616},
    ),
    (
        [REFER, answered(Kind.OPENAI_REFER_ANSWERED, 20.6, status=200), seen(30.6)],
        {"refer": "late", "refer_late_by_s": 10.0, "refer_latency_s": 0.616},
    ),
    ([REFER, answered(Kind.OPENAI_REFER_ANSWERED, 20.6, status=400)], {"refer": "tel_400"}),
    ([REFER, answered(Kind.OPENAI_REFER_ANSWERED, 20.6, status=409)], {"refer": "http_409"}),
    ([REFER, answered(Kind.OPENAI_REFER_ANSWERED, 20.6, status=503)], {"refer": "http_500"}),
    ([REFER, answered(Kind.OPENAI_REFER_UNANSWERED, 30, reason="timeout")], {"refer": "hang"}),
    ([REFER, answered(Kind.OPENAI_REFER_UNANSWERED, 21, reason="dropped")], {"refer": "dropped"}),
    (
        [REDIRECT, row(21, Kind.CARRIER_REDIRECT_ANSWERED, 25.1, status=400, error_code=21220, transfer="01MOVE")],
        {"redirect": "gone"},
    ),
    (
        [
            REDIRECT,
            row(21, Kind.CARRIER_REDIRECT_ANSWERED, 25.1, status=429, transfer="01MOVE"),
            REDIRECT_AGAIN,
            row(23, Kind.CARRIER_REDIRECT_ANSWERED, 27.1, status=200, transfer="01MOVE"),
        ],
        {"redirect": "http_429", "redirect_faults": 1},
    ),
    (
        [
            REDIRECT,
            row(21, Kind.CARRIER_REDIRECT_UNANSWERED, 35, reason="timeout", transfer="01MOVE"),
            row(22, Kind.CARRIER_DOCUMENT, 26, via="redirect"),
        ],
        {"redirect": "applied_no_answer"},
    ),
    (
        [
            row(1, Kind.CARRIER_LEG, 30, role="human", status="ringing"),
            row(2, Kind.CARRIER_LEG, 37.5, role="human", status="in-progress"),
        ],
        {"human_answers_after_s": 7.5},
    ),
    (
        [
            row(1, Kind.CARRIER_HUMAN_DIAL_ENDED, 30, dial_status="busy", bridged=False),
            row(2, Kind.CARRIER_HUMAN_DIAL_ENDED, 60, dial_status="no-answer", bridged=False),
        ],
        {"human": "busy", "second_human": "no_answer"},
    ),
    (
        [
            row(1, Kind.OPENAI_SIDEBAND_OPEN, 2),
            row(2, Kind.OPENAI_SIDEBAND_DROPPED, 14, code=1006),
            row(3, Kind.OPENAI_SIDEBAND_OPEN, 15, again=True),
        ],
        {"drop_sideband_at_s": 12.0},
    ),
    ([answered(Kind.OPENAI_ACCEPT_ANSWERED, 2, status=404)], {"accept": "http_404"}),
    ([answered(Kind.OPENAI_ACCEPT_ANSWERED, 2, status=200)], {"accept_latency_s": 0.616}),
    ([answered(Kind.OPENAI_ACCEPT_UNANSWERED, 2, reason="timeout")], {"accept": "hang"}),
]
STAGES: list[tuple[str, list[Happening], dict[str, Any]]] = [
    ("sip_rejected", [row(1, Kind.CARRIER_DIAL_ENDED, 1, sip_code=503)], {"sip_refuses": 503}),
    ("webhook_missing", [], {"webhook": "never"}),
    ("accepted_but_dead", [answered(Kind.OPENAI_ACCEPT_ANSWERED, 2, status=200)], {"accept": "dead"}),
]


@pytest.mark.parametrize(("facts", "told"), CASES, ids=range(len(CASES)))
def test_what_the_facts_show_is_a_knob_of_the_simulator(facts: list[Happening], told: dict[str, Any]) -> None:
    found = knobs(record(happened=facts))

    assert {name: value for name, value in found.items() if name != "from_number"} == told
    assert overridden(scenario_named("default"), found).from_number == CALLER


@pytest.mark.parametrize(("stage", "facts", "told"), STAGES)
def test_a_call_that_never_reached_the_ai_fails_again_as_it_did(
    stage: str, facts: list[Happening], told: dict[str, Any]
) -> None:
    call = {"id": "01CALL", "from_number": "", "topology": "twiml", "failure_stage": stage}

    found = knobs(record(happened=facts, call=call))

    assert found == {"from_number": "anonymous", **told}
    assert overridden(scenario_named("default"), found)


def test_the_transcript_becomes_lines_that_can_be_played() -> None:
    tool = row(1, Kind.OPENAI_TOOL_CALL, 6, name="transfer_call", arguments='{"destination": "frontdesk"}')
    spoken = [
        said("Good morning.", "assistant", at_s=1),
        said("A person, please. My number is +15550123.", at_s=3),
        said("I'll put you through.", "assistant", at_s=5),
        said("They are being called.", "assistant", at_s=8),
    ]

    told = lines(_masked(record(said=spoken, happened=[tool])))

    assert told == [
        {"who": "assistant", "words": "Good morning.", "asked": True},
        {"who": "caller", "words": "A person, please. My number is +xxxxxx23."},
        {
            "who": "assistant",
            "words": "I'll put you through.",
            "tool": "transfer_call",
            "arguments": {"destination": "frontdesk"},
        },
        {"who": "then", "words": "They are being called."},
    ]
    played = Conversation("handed in", lines=lines_of(told)).events(session_id="s", conversation_id="c")
    assert "I'll put you through." in json.dumps([cue.event for cue in played])


def test_any_transcript_can_be_played() -> None:
    spoken = [said(words, speaker, at_s=n) for n, words in enumerate(HOSTILE) for speaker in ("assistant", "caller")]
    tools = [row(n, Kind.OPENAI_TOOL_CALL, n + 0.5, name=words, arguments=words) for n, words in enumerate(HOSTILE)]

    told = json.loads(json.dumps(lines(record(said=spoken, happened=tools))))

    assert Conversation("handed in", lines=lines_of(told)).events(session_id="s", conversation_id="c")
    assert lines_of(lines(record()))


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        ["caller"],
        [{"who": "nobody"}],
        [{"who": "caller"}],
        [{"who": "caller", "words": 7}],
        [{"who": "caller", "words": "x" * 5000}],
        [{"who": "caller", "words": "x", "pause_s": "long"}],
        [{"who": "keys", "keys": "12x"}],
        [{"who": "assistant", "words": "x", "tool": 1}],
        [{"who": "assistant", "words": "x", "arguments": "{}", "tool": "t"}],
        [{"who": "leaves"}] * 500,
    ],
)
def test_lines_that_cannot_be_played_are_refused(told: Any) -> None:
    with pytest.raises(BadLine):
        lines_of(told)


@pytest.mark.django_db
def test_a_bundle_is_played_with_its_lines_and_says_what_a_supervisor_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, _ = silent_refer()
    file = tmp_path / "call.zip"
    file.write_bytes(b"".join(bundle(gather(call, at=at(60)), numbers=True)))
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(simulation, "follow", lambda http, sid: iter(["completed"]))
    monkeypatch.setattr(httpx, "Client", lambda **wish: _stage(asked, wish["base_url"]))
    out = StringIO()

    call_command("simulate", from_bundle=file, to="+15550104", stage="http://127.0.0.1:9", stdout=out)

    (told,) = asked
    assert (told["refer"], told["to_number"], told["from_number"]) == ("silent", "+15550104", CALLER)
    assert lines_of(told["lines"])
    assert "18.0 s after it was live a supervisor moved the caller to Front desk (refer_only)." in out.getvalue()
    assert call.from_number not in json.dumps(as_json(gather(call, at=at(60))))


@pytest.mark.django_db
def test_a_bundle_that_was_changed_is_not_played(tmp_path: Path) -> None:
    file = tmp_path / "call.zip"
    with zipfile.ZipFile(BytesIO(b"".join(bundle(record())))) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'"lines"', b'"line"'))

    with pytest.raises(Unreadable, match=r"fixture\.json is not what the manifest says"):
        fixture_of(file)
    with pytest.raises(CommandError, match=r"fixture\.json is not what the manifest says"):
        call_command("simulate", from_bundle=file)
    with pytest.raises(CommandError, match="Name one scenario"):
        call_command("simulate")


def _stage(asked: list[dict[str, Any]], url: str) -> httpx.Client:
    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(201, json={"id": "CA1"})

    return real_client(base_url=url, transport=httpx.MockTransport(answer))


real_client = httpx.Client


def _masked(one: CallRecord) -> CallRecord:
    return masked(one, numbers=False)
