"""The incidents page: what fails, how often, whom it hit, and who is to be called back."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from callops.alerts.models import DEAD_MAN, Incident, Sign
from callops.calls.models import Call, Leg
from callops.calls.words import FailureStage
from callops.core.clock import now
from callops.dashboard import phrases
from callops.dashboard.callers import to_call_back
from callops.dashboard.outages import PERIODS, Period, StageLine
from callops.sideband.models import AiSession
from tests.dashboard.conftest import NOON, MakeCall, make_line

pytestmark = pytest.mark.django_db


def failed(make_call: MakeCall, stage: str = "sip_rejected", *, minutes_ago: float = 5, **fields: Any) -> Call:
    """An ended call that failed before any voice."""
    began = now() - timedelta(minutes=minutes_ago)
    known = {"state": "ended", "ended_at": began, "started_at": began, "ai_session": "none", "failure_stage": stage}
    return make_call(**{**known, **fields})


def human_answers(call: Call) -> None:
    Leg.objects.create(
        call=call, sid=f"CA{call.pk}", role="human", status="completed", started_at=now(), answered_at=now()
    )


def ai_opens(call: Call) -> None:
    AiSession.objects.create(
        call=call, ai_call_id=f"rtc_{call.pk}", webhook_at=now(), created_at=now(), accepted_at=now(), opened_at=now()
    )


def stages(desk: Client, query: str = "") -> dict[str, StageLine]:
    return {line.stage: line for line in desk.get(f"/incidents/{query}").context["outage"].lines}


def test_each_stage_has_its_count_its_share_its_lines_and_what_became_of_the_callers(
    desk: Client, make_call: MakeCall
) -> None:
    support, sales = make_line(), make_line(number="+15550101", name="Northline sales")
    for each in (human_answers, ai_opens, lambda call: None):
        each(failed(make_call, line=support))
    failed(make_call, line=sales, state="connecting", ended_at=None)
    failed(make_call, "caller_left", line=sales)
    for _ in range(5):
        make_call(line=support)

    found = stages(desk)

    refused = found["sip_rejected"]
    assert (refused.count, refused.percent) == (4, 40.0)
    assert (refused.rescued, refused.lost, refused.under_way) == (2, 1, 1)
    assert refused.names == "Northline sales, Northline support"
    assert found["caller_left"].names == "Northline sales"
    assert sum(refused.bars) == 4


def test_every_number_leads_to_just_the_calls_it_counts(desk: Client, make_call: MakeCall) -> None:
    rescued, lost, other = failed(make_call), failed(make_call), failed(make_call, "our_fault")
    human_answers(rescued)
    failed(make_call, minutes_ago=60 * 30)
    text = desk.get("/incidents/?period=24h").content.decode().replace("&amp;", "&")

    def behind(*words: str) -> list[str]:
        found = [piece.split('"')[0] for piece in text.split('href="')[1:]]
        address = next(each for each in found if all(word in each for word in words))
        return sorted(call.pk for call in desk.get(address).context["page"].rows)

    assert behind("stage=sip_rejected", "since=") == sorted([rescued.pk, lost.pk])
    assert behind("stage=sip_rejected", "fate=rescued") == [rescued.pk]
    assert behind("stage=sip_rejected", "fate=lost") == [lost.pk]
    assert behind("stage=any") == sorted([rescued.pk, lost.pk, other.pk])
    assert behind("stage=our_fault") == [other.pk]


def test_history_finds_failures_by_stage_by_fate_and_by_time(desk: Client, make_call: MakeCall) -> None:
    old, new = failed(make_call, minutes_ago=90), failed(make_call, "our_fault")
    human_answers(new)
    make_call()
    hour_ago = (now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def found(query: str) -> list[str]:
        return [call.pk for call in desk.get(f"/calls/?{query}").context["page"].rows]

    assert found("stage=any") == [new.pk, old.pk]
    assert found("stage=our_fault") == [new.pk]
    assert found("fate=lost") == [old.pk]
    assert found(f"stage=any&since={hour_ago}") == [new.pk]
    assert found(f"stage=any&until={hour_ago}") == [old.pk]
    assert len(found("stage=nonsense&since=yesterday")) == 3


def test_the_period_is_in_the_address(desk: Client, make_call: MakeCall) -> None:
    failed(make_call, minutes_ago=10)
    failed(make_call, minutes_ago=600)
    failed(make_call, minutes_ago=60 * 24 * 5)

    counts = [stages(desk, query)["sip_rejected"].count for query in ("?period=1h", "", "?period=7d", "?period=what")]

    assert counts == [1, 2, 3, 2]


moments = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=NOON.tzinfo)
)


@given(period=st.sampled_from(list(PERIODS.values())), moment=moments)
def test_the_steps_of_a_period_are_whole_and_cover_it_up_to_now(period: Period, moment: datetime) -> None:
    steps = period.steps(moment)

    assert steps[0] <= moment - period.span < steps[0] + period.step
    assert steps[-1] <= moment < steps[-1] + period.step
    assert {after - before for before, after in pairwise(steps)} == {period.step}
    assert steps[0].minute * 60 % min(period.step.total_seconds(), 3600) == 0


def test_callers_nobody_was_there_for_are_grouped_newest_first(desk: Client, make_call: MakeCall) -> None:
    for minutes_ago in (9, 8, 7):
        failed(make_call, from_number="+15550141", minutes_ago=minutes_ago)
    failed(make_call, "caller_left", from_number="+15550142", minutes_ago=5)
    for number in ("anonymous", "+266696687", "", "Restricted"):
        failed(make_call, from_number=number, minutes_ago=3)

    callers = desk.get("/incidents/").context["callers"]

    assert [(caller.number, caller.times) for caller in callers] == [("", 4), ("+15550142", 1), ("+15550141", 3)]


def test_who_reached_somebody_later_or_was_hung_up_on_purpose_need_not_be_called(make_call: MakeCall) -> None:
    same = failed(make_call, from_number="+15550141")
    human_answers(same)
    failed(make_call, from_number="+15550142", minutes_ago=9)
    ai_opens(make_call(from_number="+15550142", started_at=now() - timedelta(minutes=8)))
    failed(make_call, from_number="+15550143", end_wish="operator")
    failed(make_call, from_number="+15550144", state="connecting", ended_at=None)
    ai_opens(make_call(from_number="+15550145", started_at=now() - timedelta(minutes=8)))
    failed(make_call, from_number="+15550145", minutes_ago=7)

    callers = to_call_back(now() - timedelta(hours=1))

    assert [caller.number for caller in callers] == ["+15550145"]


def test_a_caller_who_left_before_the_ai_was_even_dialled_is_called_back(make_call: MakeCall) -> None:
    failed(make_call, "", from_number="+15550141", caller_left_at=now())

    assert [caller.number for caller in to_call_back(now() - timedelta(hours=1))] == ["+15550141"]


def test_incidents_are_listed_with_their_reasons(desk: Client) -> None:
    at = now() - timedelta(minutes=20)
    known = {"began_at": at, "opened_at": at, "failed": 7, "calls": 9}
    Incident.objects.create(kind="sip_rejected", because="So it began.", **known)
    Incident.objects.create(kind="our_fault", because="So.", closed_at=now(), closed_because="So it ended.", **known)
    Incident.objects.create(kind="caller_left", because="Old.", closed_at=now() - timedelta(days=9), **known)

    text = desk.get("/incidents/").content.decode()

    assert "So it began." in text
    assert "So it ended." in text
    assert "7 of 9" in text
    assert "Old." not in text


def test_nothing_is_inline_on_the_incidents_page_and_quiet_hours_say_so(desk: Client, make_call: MakeCall) -> None:
    empty = desk.get("/incidents/").content.decode()
    failed(make_call)
    full = desk.get("/incidents/").content.decode()

    assert "There was no call" in empty
    assert "Nobody: every caller" in empty
    assert "An incident opens by itself" in empty
    assert "<svg" in full
    assert "style=" not in empty + full


@pytest.mark.parametrize("count", [0, 3, 300])
@pytest.mark.parametrize("period", list(PERIODS))
def test_the_page_takes_the_same_few_queries_for_any_number_of_failures(
    desk: Client, make_call: MakeCall, django_assert_max_num_queries: Any, count: int, period: str
) -> None:
    for index in range(count):
        failed(make_call, FailureStage.values[index % 6], from_number=f"+1555{index:07}", minutes_ago=index / 6)

    with django_assert_max_num_queries(13):
        response = desk.get(f"/incidents/?period={period}")

    assert response.status_code == 200


@pytest.mark.parametrize("stage", FailureStage.values)
def test_the_call_page_says_whose_fault_it_was_what_to_do_and_which_event_decided(
    desk: Client, make_call: MakeCall, stage: str
) -> None:
    call = failed(make_call, stage, failure_seq=3, last_seq=5)

    text = desk.get(f"/calls/{call.pk}/").content.decode().replace("&#x27;", "'")

    assert phrases.FAILURES[stage] in text
    assert phrases.WHOSE_FAULT[stage] in text
    assert phrases.WHAT_NEXT[stage] in text
    assert 'href="#event-3"' in text


@pytest.mark.parametrize("words", [phrases.FAILURES, phrases.WHOSE_FAULT, phrases.WHAT_NEXT])
def test_every_stage_has_one_plain_sentence_of_each_sort(words: dict[str, str]) -> None:
    assert set(words) == set(FailureStage.values)
    assert len(set(words.values())) == len(words)
    for sentence in words.values():
        assert sentence.endswith(".")
        assert sentence.count(". ") == 0
        assert "!" not in sentence


def test_every_incident_has_its_words() -> None:
    assert set(phrases.TROUBLES) == {*FailureStage.values, *Sign.values}
    assert phrases.TROUBLES[Incident(kind=DEAD_MAN, about=Sign.ENGINE).subject].startswith("No engine")
