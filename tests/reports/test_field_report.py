"""The field report's case, line by line: what is said rests on facts, and an absence is told with its moment."""

from __future__ import annotations

import pytest

from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import State
from callops.providers.told import Told
from callops.reports import ladder, to_openai, to_twilio, trouble
from callops.reports.absences import Expected
from callops.reports.gathering import gather
from callops.reports.masking import masked
from callops.reports.record import CallRecord
from callops.reports.steps import Style, steps
from tests.reports.cases import record, row, silent_refer
from tests.rows import at

pytestmark = pytest.mark.django_db

ASKED, DEADLINE, LEFT = (f"`2026-03-01T12:00:{seconds}.000Z`" for seconds in ("20", "24", "55"))


@pytest.fixture
def case() -> CallRecord:
    call, _ = silent_refer()
    Call.objects.filter(pk=call.pk).update(state=State.ENDED, ended_at=at(55), ended_by="caller")
    call.refresh_from_db()
    return masked(gather(call, at=at(900)), numbers=False)


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def test_the_report_for_openai_says_all_of_it_and_no_more(case: CallRecord) -> None:
    told = lines(to_openai.report(case))
    ai, url = (
        case.call["ai_call_id"],
        f"{case.settings['openai_base_url']}/realtime/calls/{case.call['ai_call_id']}/refer",
    )

    for line in (
        "# A REFER was asked for and not seen at the carrier",
        f"- OpenAI call: `{ai}`",
        "- SIP Call-ID of the INVITE: `7a1c@northline`",
        "- Webhook ids: `wh_1`",
        f"- Twilio leg to OpenAI: `{case.call['ai_leg_sid']}`",
        f"| {ASKED} | `POST {url}` | 200 | absent | 616 ms |",
        f"## The REFER of {ASKED.strip('`')}",
        f"- Request: `POST {url}`",
        f"- Sent at: {ASKED}",
        "- Status: HTTP 200, 616 ms after the request",
        "- Headers that were missing: `x-request-id`, `openai-processing-ms`",
        "- Body: empty (content-length: 0)",
        "| `content-length` | `0` |",
        f"- A request of our `referUrl` by Twilio: not seen by us by {LEFT}.",
        "- Clocks: OpenAI's clock is between 0.4 s behind and 1.0 s ahead of ours.",
        (
            "- Before the request, 2026-03-01T12:00:10.000Z to 2026-03-01T12:00:20.000Z: 30 events, 3.0 a second; "
            "30 about audio, 3.0 a second; 0 responses done."
        ),
        (
            "- After the request, 2026-03-01T12:00:20.000Z to 2026-03-01T12:00:50.000Z: 90 events, 3.0 a second; "
            "90 about audio, 3.0 a second; 0 responses done."
        ),
        "- No error and no drop of the sideband in this time after the request.",
        "| `output_audio_buffer.started` | 10 | 30 |",
        f"- So we expected Twilio to receive a REFER on the leg to OpenAI and to request our `referUrl` by {DEADLINE}.",
        "Mechanism: `unknown`, outcome: `unknown`.",
    ):
        assert line in told
    (question,) = [line for line in told if line.startswith("Did a SIP REFER leave")]
    assert question.endswith("If not, why HTTP 200?")
    assert not [
        line for line in told if "did not happen" in line or ("never" in line and "seen by the carrier" not in line)
    ]


def test_the_target_is_told_as_it_was_asked_for(case: CallRecord) -> None:
    (body,) = [line for line in lines(to_openai.report(case)) if line.startswith("- Body: `{")]

    assert '"target_uri": "tel:+' in body


def test_a_refer_that_arrived_is_no_complaint() -> None:
    call, attempt = silent_refer()
    attempt.refer_seen_at = at(27)
    attempt.save()

    told = to_openai.report(gather(call, at=at(900)))

    assert "- Twilio reported the REFER at `2026-03-01T12:00:27.000Z`, after our deadline." in told
    assert "None: the REFER for the request" in told
    assert "# A call, as seen from the application" in told


def test_an_answer_that_never_came_is_told_with_the_moment_until_which_we_looked() -> None:
    call, _ = silent_refer(answer=Told(reason="timeout", duration_ms=10_000))

    told = to_openai.report(gather(call, at=at(900)))

    assert "- no answer (timeout), by `2026-03-01T12:15:00.000Z`." in told
    assert "what was answered to it?" in told


def test_the_report_for_twilio_has_the_legs_and_asks_for_the_refer(case: CallRecord) -> None:
    told = to_twilio.report(case)

    assert f"- Call of the caller: `{case.call['carrier_sid']}`" in told
    assert "REFER at the carrier: not seen by 12:00:24." in told
    assert f"Did a SIP REFER arrive in the dialog of leg `{case.call['ai_leg_sid']}`" in told
    assert "CallStatus=in-progress" in told
    assert "+15550123" not in told


def test_the_first_thing_that_went_wrong_is_the_first(case: CallRecord) -> None:
    first = trouble.first(case)
    refused = record(happened=[row(1, Kind.OPENAI_ACCEPT_ANSWERED, 1, status=500), row(2, Kind.US_FAULT, 2)])

    assert isinstance(first, Expected)
    assert first.what == "REFER at the carrier"
    assert trouble.first(refused) == refused.happened[0]
    assert trouble.first(record()) is None


def test_the_ladder_draws_the_refer_as_expected_and_not_seen(case: CallRecord) -> None:
    told = steps(case)
    hollow = [step for step in told if step.style == Style.ABSENT]
    drawn, written = ladder.svg(told, title="T", alone=True), ladder.text(told, title="T")

    assert [(step.source, step.target) for step in hollow] == [("openai", "twilio")]
    assert drawn.count('class="step absent"') == 1
    assert "12:00:24.000    OpenAI   ?▷ Twilio    REFER at the carrier: not seen by 12:00:24" in written
    assert [step.at for step in told] == sorted(step.at for step in told)
    assert "<style>" not in ladder.svg(told, title="T")


def test_an_empty_call_is_drawn_and_told_too() -> None:
    assert "Nothing is known of this call yet." in ladder.text(steps(record()), title="T")
    assert "</svg>" in ladder.svg([], title="T")
    assert "## The REFER" not in to_openai.report(record())
    assert "- Nothing: all we wait for was seen in time." in to_twilio.report(record())


def test_a_report_that_is_written_early_counts_no_time_that_has_not_passed() -> None:
    call, _ = silent_refer()

    told = to_openai.report(gather(call, at=at(25)))

    assert "- After the request, 2026-03-01T12:00:20.000Z to 2026-03-01T12:00:25.000Z:" in told
