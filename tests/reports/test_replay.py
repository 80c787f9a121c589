"""A call as it was known at a moment: nothing later shows, and the verdict is the one of then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.reports.absences import missing
from callops.reports.gathering import gather
from callops.reports.record import Witnessed
from callops.reports.replay import cut
from callops.reports.rows import every_row
from callops.transfers.verdict import Fact, judge
from tests.reports.cases import moving, record, silent_refer
from tests.rows import NOON, at
from tests.transfers.facts import facts


@pytest.mark.django_db
def test_the_field_reports_case_unfolds_as_it_was_seen() -> None:
    call, _ = silent_refer()
    whole = gather(call, at=at(60))

    before, asked, answered, passed = (cut(whole, at(seconds)) for seconds in (19, 20.3, 22, 25))

    assert (before.moves, [row.seq for row in before.happened]) == ([], [1, 2, 3])
    assert [move.because for move in asked.moves] == ["Asked; nothing has answered yet."]
    assert "answered 200 without a request id" in answered.moves[0].because
    assert "never seen" not in answered.moves[0].because
    assert [len(missing(one)) for one in (asked, answered, passed)] == [0, 0, 1]
    assert (answered.moves[0].outcome, passed.moves[0].outcome) == ("pending", "unknown")
    assert every_row(cut(whole, at(60))) == every_row(whole)


@given(drawn=facts, seconds=st.integers(0, 20), refer_only=st.booleans())
def test_the_verdict_of_then_rests_on_the_facts_of_then(drawn: list[Fact], seconds: int, refer_only: bool) -> None:
    evidence = [
        Witnessed(kind=one.kind, witness="carrier", at=one.at, seq=seq, detail=one.detail)
        for seq, one in enumerate(drawn, start=1)
    ]
    whole = record(moves=[moving(evidence, refer_only=refer_only, requested_at=NOON)])

    (then,) = cut(whole, at(seconds)).moves

    verdict = judge([one for one in drawn if one.at <= at(seconds)], refer_only=refer_only)
    assert (then.mechanism, then.outcome) == (verdict.mechanism, verdict.outcome)
