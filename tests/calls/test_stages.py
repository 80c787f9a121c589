"""At which stage a call failed that never reached the AI: tables of facts, one stage each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.calls.kinds import Kind
from callops.calls.stages import Diagnosis, StageFact, classify
from callops.calls.words import FailureStage
from tests.rows import at

Told = tuple[Kind, dict[str, Any]]

DIALLED: Told = (Kind.US_DIALLED_AI, {})
DIALLED_ALL: Told = (Kind.US_DIALLED_AI, {"tries": 2, "then": ["Front desk"]})
WEBHOOK: Told = (Kind.OPENAI_WEBHOOK, {"call_id": "rtc_1"})
ASKED: Told = (Kind.US_ACCEPT_ASKED, {})
ACCEPTED: Told = (Kind.OPENAI_ACCEPT_ANSWERED, {"status": 200})
CONFLICT: Told = (Kind.OPENAI_ACCEPT_ANSWERED, {"status": 409})
REFUSED: Told = (Kind.OPENAI_ACCEPT_ANSWERED, {"status": 429})
NOT_FOUND: Told = (Kind.OPENAI_ACCEPT_ANSWERED, {"status": 404})
SILENT: Told = (Kind.OPENAI_ACCEPT_UNANSWERED, {"reason": "timeout"})
UNFIT: Told = (Kind.US_ACCEPT_HELD_BACK, {"cause": "unfit"})
TOO_OLD: Told = (Kind.US_ACCEPT_HELD_BACK, {"cause": "too_old"})
OPEN: Told = (Kind.OPENAI_SIDEBAND_OPEN, {"again": False})
DEAD: Told = (Kind.OPENAI_SIDEBAND_REFUSED, {"status": 404})
GONE: Told = (Kind.OPENAI_SIDEBAND_REFUSED, {"status": 404, "caller_gone": True})
GHOST: Told = (Kind.OPENAI_GHOST, {"after_s": 30})
MISSED: Told = (Kind.CLOCK_WEBHOOK_MISSING, {"deadline_s": 6.0})
SIP_400: Told = (Kind.CARRIER_DIAL_ENDED, {"dial_status": "failed", "sip_code": 400, "caller_on_line": True})
LEG_400: Told = (Kind.CARRIER_LEG, {"role": "ai", "status": "failed", "sip_code": 400})
LEG_CANCELLED: Told = (Kind.CARRIER_LEG, {"role": "ai", "status": "canceled", "sip_code": 487})
LEG_UP: Told = (Kind.CARRIER_LEG, {"role": "ai", "status": "in-progress"})
RANG_OUT: Told = (Kind.CARRIER_DIAL_ENDED, {"dial_status": "no-answer", "caller_on_line": True})
AI_RANG_OUT: Told = (
    Kind.CARRIER_DIAL_ENDED,
    {"dial_status": "no-answer", "caller_on_line": True, "params": {"DialSipCallId": "ab@0.0.0.0"}},
)
FALLBACK_BUSY: Told = (Kind.CARRIER_DIAL_ENDED, {"dial_status": "busy", "caller_on_line": True, "params": {}})
FALLBACK_TALKED: Told = (
    Kind.CARRIER_DIAL_ENDED,
    {"dial_status": "completed", "bridged": True, "caller_on_line": True, "params": {}},
)
LEFT_THE_FALLBACK: Told = (
    Kind.CARRIER_DIAL_ENDED,
    {"dial_status": "completed", "bridged": True, "caller_on_line": False, "params": {}},
)
TALKED: Told = (Kind.CARRIER_DIAL_ENDED, {"dial_status": "completed", "bridged": True, "caller_on_line": True})
WEBHOOK_2: Told = (Kind.OPENAI_WEBHOOK, {"sip_headers": [{"name": "x-twilio-callsid", "value": "CA-2"}]})
LEG_1_503: Told = (Kind.CARRIER_LEG, {"role": "ai", "sid": "CA-1", "status": "failed", "sip_code": 503})
LEG_2_503: Told = (Kind.CARRIER_LEG, {"role": "ai", "sid": "CA-2", "status": "failed", "sip_code": 503})
LEG_OF_2: Told = (
    Kind.CARRIER_LEG,
    {"role": "ai", "sid": "CA-3", "status": "failed", "sip_code": 503, "params": {"ParentCallSid": "CA-2"}},
)
LEFT_AFTER_TALK: Told = (
    Kind.CARRIER_DIAL_ENDED,
    {"dial_status": "completed", "bridged": True, "caller_on_line": False},
)
LEFT: Told = (Kind.CARRIER_DIAL_ENDED, {"dial_status": "canceled", "caller_on_line": False})
CALLER_OVER: Told = (Kind.CARRIER_LEG, {"role": "caller", "status": "completed"})
SEEN_OVER: Told = (Kind.CARRIER_LOOKED_UP, {"status": "completed"})
HUNG_UP_BY_US: Told = (Kind.OPERATOR_HANGUP, {"by": "supervisor1"})
EVERYTHING = [value for value in dict(globals()).values() if isinstance(value, tuple) and len(value) == 2]


def facts(*told: Told) -> list[StageFact]:
    return [StageFact(seq, at(seq), kind, body) for seq, (kind, body) in enumerate(told, start=1)]


@pytest.mark.parametrize(
    ("told", "stage", "decided_by"),
    [
        ([DIALLED, SIP_400], FailureStage.SIP_REJECTED, 2),
        ([DIALLED, LEG_400, SIP_400], FailureStage.SIP_REJECTED, 2),
        ([DIALLED, LEG_400, TALKED], FailureStage.SIP_REJECTED, 2),
        ([DIALLED, MISSED, SIP_400], FailureStage.SIP_REJECTED, 3),
        ([DIALLED, LEG_400, OPEN], FailureStage.SIP_REJECTED, 2),
        ([DIALLED, MISSED], FailureStage.WEBHOOK_MISSING, 2),
        ([DIALLED, RANG_OUT], FailureStage.WEBHOOK_MISSING, 2),
        ([DIALLED, MISSED, RANG_OUT], FailureStage.WEBHOOK_MISSING, 2),
        ([DIALLED, FALLBACK_BUSY], FailureStage.WEBHOOK_MISSING, 2),
        ([DIALLED, FALLBACK_BUSY, LEG_400], FailureStage.SIP_REJECTED, 3),
        ([DIALLED, MISSED, FALLBACK_BUSY, LEG_400], FailureStage.SIP_REJECTED, 4),
        ([DIALLED, AI_RANG_OUT, LEG_400], FailureStage.WEBHOOK_MISSING, 2),
        ([DIALLED_ALL, FALLBACK_TALKED, CALLER_OVER], FailureStage.WEBHOOK_MISSING, 2),
        ([DIALLED_ALL, FALLBACK_TALKED, CALLER_OVER, LEG_400], FailureStage.SIP_REJECTED, 4),
        ([DIALLED, FALLBACK_TALKED], None, None),
        ([DIALLED_ALL, LEFT_THE_FALLBACK, CALLER_OVER], FailureStage.WEBHOOK_MISSING, 2),
        ([DIALLED, CALLER_OVER, LEG_400], FailureStage.SIP_REJECTED, 3),
        ([DIALLED, CALLER_OVER, LEG_CANCELLED], FailureStage.CALLER_LEFT, 2),
        ([DIALLED_ALL, FALLBACK_TALKED, WEBHOOK, ASKED, ACCEPTED, OPEN], None, None),
        ([DIALLED, MISSED, LEFT], FailureStage.WEBHOOK_MISSING, 2),
        ([DIALLED, MISSED, WEBHOOK, TOO_OLD], None, None),
        ([DIALLED, WEBHOOK, ASKED, REFUSED], FailureStage.ACCEPT_REFUSED, 4),
        ([DIALLED, WEBHOOK, ASKED, REFUSED, SIP_400], FailureStage.ACCEPT_REFUSED, 4),
        ([DIALLED, WEBHOOK, ASKED, ACCEPTED, SIP_400], FailureStage.ACCEPTED_BUT_DEAD, 5),
        ([DIALLED, WEBHOOK, ASKED, ACCEPTED, DEAD], FailureStage.ACCEPTED_BUT_DEAD, 5),
        ([DIALLED, WEBHOOK, ASKED, SILENT, RANG_OUT], FailureStage.ACCEPTED_BUT_DEAD, 5),
        ([DIALLED, WEBHOOK, ASKED, CONFLICT, DEAD], FailureStage.ACCEPTED_BUT_DEAD, 5),
        ([DIALLED, LEFT], FailureStage.CALLER_LEFT, 2),
        ([DIALLED, WEBHOOK, ASKED, NOT_FOUND], FailureStage.ACCEPT_REFUSED, 4),
        ([DIALLED, WEBHOOK, ASKED, NOT_FOUND, LEFT], FailureStage.CALLER_LEFT, 5),
        ([DIALLED, WEBHOOK, ASKED, NOT_FOUND, SIP_400, LEFT], FailureStage.ACCEPT_REFUSED, 4),
        ([DIALLED, WEBHOOK, ASKED, NOT_FOUND, TOO_OLD, TOO_OLD, LEFT], FailureStage.ACCEPT_REFUSED, 4),
        ([DIALLED, WEBHOOK, ASKED, REFUSED, LEFT], FailureStage.ACCEPT_REFUSED, 4),
        ([DIALLED, CALLER_OVER], FailureStage.CALLER_LEFT, 2),
        ([DIALLED, SEEN_OVER], FailureStage.CALLER_LEFT, 2),
        ([DIALLED, WEBHOOK, ASKED, ACCEPTED, LEFT], FailureStage.CALLER_LEFT, 5),
        ([DIALLED, WEBHOOK, ASKED, ACCEPTED, LEFT, GONE], FailureStage.CALLER_LEFT, 5),
        ([WEBHOOK, ASKED, ACCEPTED, GHOST], FailureStage.CALLER_LEFT, 4),
        ([DIALLED, WEBHOOK, UNFIT], FailureStage.OUR_FAULT, 3),
        ([DIALLED, WEBHOOK, SIP_400], FailureStage.OUR_FAULT, 3),
        ([DIALLED, WEBHOOK, RANG_OUT], FailureStage.OUR_FAULT, 3),
        ([DIALLED, WEBHOOK, ASKED, ACCEPTED, OPEN], None, None),
        ([DIALLED, WEBHOOK, ASKED, ACCEPTED, OPEN, LEFT], None, None),
        ([DIALLED, MISSED, WEBHOOK, ASKED, ACCEPTED, OPEN], None, None),
        ([DIALLED, WEBHOOK, ASKED, ACCEPTED, OPEN, TALKED, DIALLED, SIP_400], None, None),
        ([DIALLED, LEG_UP, CALLER_OVER], None, None),
        ([DIALLED, CALLER_OVER, LEG_UP], None, None),
        ([DIALLED, HUNG_UP_BY_US, LEFT], None, None),
        ([DIALLED, WEBHOOK, ASKED, ACCEPTED, LEFT_AFTER_TALK], None, None),
        ([DIALLED, WEBHOOK_2, ASKED, LEG_1_503], FailureStage.SIP_REJECTED, 4),
        ([DIALLED, WEBHOOK_2, ASKED, LEG_2_503], FailureStage.ACCEPTED_BUT_DEAD, 4),
        ([DIALLED, WEBHOOK_2, ASKED, LEG_OF_2], FailureStage.ACCEPTED_BUT_DEAD, 4),
        ([DIALLED, WEBHOOK_2, LEG_1_503], FailureStage.SIP_REJECTED, 3),
        ([DIALLED, LEG_CANCELLED], None, None),
        ([CALLER_OVER], None, None),
        ([DIALLED], None, None),
        ([], None, None),
    ],
)
def test_the_facts_of_a_call_give_one_stage_and_the_fact_that_decided_it(
    told: list[Told], stage: FailureStage | None, decided_by: int | None
) -> None:
    found = classify(facts(*told))

    assert found == (None if stage is None else Diagnosis(stage, decided_by))


stories = st.lists(st.sampled_from(EVERYTHING), max_size=9)


@given(story=stories, shuffled=st.randoms(use_true_random=False))
def test_facts_told_in_another_order_or_twice_give_the_same_stage(story: list[Told], shuffled: Any) -> None:
    known = facts(*story)
    mixed = [*known, *known[:3]]
    shuffled.shuffle(mixed)

    assert classify(mixed) == classify(known)


@given(story=stories)
def test_a_call_that_reached_the_ai_at_its_first_try_did_not_fail_whatever_came_later(story: list[Told]) -> None:
    assert classify(facts(DIALLED, WEBHOOK, ASKED, ACCEPTED, OPEN, *story)) is None


@given(story=stories, later=stories)
def test_a_stage_once_settled_by_more_than_the_clock_stays(story: list[Told], later: list[Told]) -> None:
    before = classify(facts(*story))
    after = classify(facts(*story, *later))

    open_to_better = (FailureStage.WEBHOOK_MISSING, FailureStage.CALLER_LEFT)
    if before is not None and before.stage not in open_to_better and story[before.seq - 1] != NOT_FOUND:
        assert after == before
