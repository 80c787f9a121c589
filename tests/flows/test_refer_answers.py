"""What OpenAI may answer to a REFER, and what is true of the caller each time (contract OpenAI 5.1)."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from callops.reports.checking import fixture_of
from tests.flows.proofs import events_of, is_settled, kinds_of, moved, prove
from tests.flows.world import World

pytestmark = pytest.mark.story

QUICK_LINE = "+15550100"
QUICK: dict[str, Any] = {"accept_latency_s": 0.1, "human_answers_after_s": 0.6}
OVER_SIP = {**QUICK, "to_number": "+15550103"}
PATIENT = {**QUICK, "to_number": "+15550104"}
DIALLED = ["document_fetched", "human_connected"]
REFUSALS = [("refer_tel_400", 400), ("refer_404", 404), ("refer_409", 409), ("refer_500", 500)]


@pytest.mark.parametrize(("scenario", "named"), [("default", False), ("refer_named_silent", True)])
def test_a_200_proves_nothing_with_or_without_a_request_id_and_the_redirect_moves_the_caller(
    world: World, scenario: str, named: bool
) -> None:
    with world.calling(scenario, **QUICK) as call:
        transfer = moved(world, call)

        lacking = "answered 200," if named else "answered 200 without a request id,"
        prove(
            world,
            call,
            transfer,
            mechanism="redirect",
            evidence=["refer_answered", "deadline_passed", *DIALLED],
            says=[lacking, "never seen by the carrier in 1.5 s", "Front desk connected"],
        )
        assert (transfer["refer"]["request_id"] is not None) is named
        assert (transfer["refer"]["processing_ms"] is not None) is named
        assert set(answer_of(world, call)["absent"]) == (set() if named else {"x-request-id", "openai-processing-ms"})
        assert ("request id absent" in world.page(call["id"])) is not named


def test_a_200_whose_refer_leaves_is_proven_by_the_carrier_alone(world: World) -> None:
    with world.calling("refer_works", **PATIENT) as call:
        transfer = moved(world, call)

        prove(
            world,
            call,
            transfer,
            mechanism="refer",
            evidence=["refer_answered", "refer_seen", "human_connected"],
            says=["answered 200, seen by the carrier"],
        )
        assert (transfer["redirect"], asked(world, call)) == (None, "tel:+15550111")


@pytest.mark.parametrize(("scenario", "status"), REFUSALS)
def test_a_refused_refer_is_followed_by_the_redirect_without_waiting_for_the_deadline(
    world: World, scenario: str, status: int
) -> None:
    with world.calling(scenario, **PATIENT) as call:
        transfer = moved(world, call)

        prove(
            world,
            call,
            transfer,
            mechanism="redirect",
            evidence=["refer_answered", *DIALLED],
            says=[f"answered {status}", "Twilio fetched the transfer document"],
        )
        assert transfer["refer"]["http_status"] == status
        assert transfer["refer"]["request_id"]
        assert "deadline_passed" not in kinds_of(transfer)


@pytest.mark.parametrize(("scenario", "status"), REFUSALS)
def test_where_only_a_refer_may_move_the_caller_a_refusal_leaves_him_with_the_ai(
    world: World, scenario: str, status: int
) -> None:
    with world.calling(scenario, **PATIENT) as call:
        transfer = moved(world, call, policy="refer_only")

        prove(
            world,
            call,
            transfer,
            mechanism="none",
            outcome="failed",
            evidence=["refer_answered"],
            says=[f"answered {status}"],
            rings=0,
        )
        assert world.call(call["id"])["state"] == "live"
        assert "us.redirect_asked" not in world.kinds(call["id"])


def test_where_only_a_refer_may_move_the_caller_silence_stays_unproven_and_he_stays_with_the_ai(world: World) -> None:
    greeted = [{"who": "assistant", "words": "Northline Energy, how can I help?"}]  # nobody is talked over
    with world.calling("default", **QUICK, lines=greeted) as call:
        transfer = moved(world, call, policy="refer_only")

        prove(
            world,
            call,
            transfer,
            mechanism="unknown",
            outcome="unknown",
            evidence=["refer_answered", "deadline_passed"],
            says=["never seen by the carrier"],
            rings=0,
        )
        assert world.call(call["id"])["state"] == "live"
        assert "Nobody knows whether the caller reached Front desk" in world.board()
        the_field_report(world, call)


def test_a_refer_that_hangs_for_thirty_seconds_does_not_hold_the_redirect_up(world: World) -> None:
    with world.calling("refer_hangs", **QUICK) as call:
        transfer = moved(world, call)
        late = world.transfer_until(
            transfer["id"], lambda seen: "refer_unanswered" in kinds_of(seen), "the silence is on record", 40
        )

        prove(
            world,
            call,
            late,
            mechanism="redirect",
            evidence=["deadline_passed", "refer_unanswered", *DIALLED],
            says=["not answered", "never seen by the carrier in 1.5 s"],
        )
        assert late["settled_at"] == transfer["settled_at"]
        assert late["refer"]["http_status"] is None


def test_a_dropped_connection_is_no_refusal_so_the_carrier_is_watched_until_the_deadline(world: World) -> None:
    with world.calling("refer_dropped", **QUICK) as call:
        transfer = moved(world, call)

        prove(
            world,
            call,
            transfer,
            mechanism="redirect",
            evidence=["refer_unanswered", "deadline_passed", *DIALLED],
            says=["not answered (dropped)"],
        )
        assert transfer["refer"]["http_status"] is None


def test_a_line_that_names_its_destinations_by_sip_refers_where_tel_is_refused(world: World) -> None:
    with world.calling("refer_tel_400", **OVER_SIP) as call:
        asked_for = world.transfer(call["id"])["id"]
        world.transfer_until(asked_for, is_settled, "settled", 40)
        transfer = world.transfer_until(asked_for, lambda seen: seen["refer"]["http_status"], "answered")

        assert asked(world, call) == "sip:+15550111@sip.twilio.com"
        assert transfer["refer"]["http_status"] == 200
        prove(world, call, transfer, mechanism="refer", evidence=["refer_seen", "human_connected"])


def test_the_human_dialled_after_a_sip_refer_is_the_one_of_the_directory(world: World) -> None:
    with world.calling("refer_works", **OVER_SIP) as call:
        transfer = moved(world, call)

        (human,) = [leg for leg in world.legs(call["carrier"]["call_sid"]) if leg["to"].startswith("+")]
        assert human["to"] == "+15550111"
        prove(world, call, transfer, mechanism="refer", evidence=["refer_seen", "human_connected"])


def the_field_report(world: World, call: dict) -> None:
    """The bundle holds, and the report says of the call what the simulator's OpenAI did, line by line."""
    report = world.browser.get(f"/calls/{call['id']}/report/openai.md").text
    answer = events_of(world, call, "openai.refer_answered")[0]
    for line in (
        "# A REFER was asked for and not seen at the carrier",
        f"- OpenAI call: `{call['ai']['call_id']}`",
        f"- Twilio leg to OpenAI: `{call['carrier']['ai_leg_sid']}`",
        '- Body: `{"target_uri": "tel:+xxxxxx11"}`',
        f"- Status: HTTP 200, {answer['body']['duration_ms']} ms after the request",
        "- Headers that were missing: `x-request-id`, `openai-processing-ms`",
        "- Body: empty (content-length: 0)",
        "- No error and no drop of the sideband in this time after the request.",
    ):
        assert line in report.split("\n"), report
    assert "- A request of our `referUrl` by Twilio: not seen by us by `" in report
    with TemporaryDirectory() as folder:
        file = Path(folder) / "evidence.zip"
        file.write_bytes(world.browser.get(f"/calls/{call['id']}/evidence.zip").content)
        assert "every hash is right" in world.manage("verify_bundle", str(file))
        it_is_played_again(world, fixture_of(file))


def it_is_played_again(world: World, fixture: dict) -> None:
    """The simulator plays the call of the bundle, and what is proven of it is the same."""
    told = {"human_answers_after_s": 0.6, **fixture["knobs"], "to_number": QUICK_LINE, "speed": 4.0}
    with world.calling("default", lines=fixture["lines"], **told) as again:
        transfer = moved(world, again, policy=fixture["wish"]["policy"])

        assert fixture["then"] == {name: transfer[name] for name in ("mechanism", "outcome")}
        assert set(answer_of(world, again)["absent"]) == {"x-request-id", "openai-processing-ms"}


def answer_of(world: World, call: dict) -> dict:
    (answer,) = [event for event in world.events(call["id"]) if event["kind"] == "openai.refer_answered"]
    body: dict = answer["body"]
    return body


def asked(world: World, call: dict) -> str:
    (wish,) = [event for event in world.events(call["id"]) if event["kind"] == "us.refer_asked"]
    return str(wish["body"]["target_uri"])
