"""Two calls laid on one moment: what is missing, and what took longer."""

from __future__ import annotations

from callops.calls.kinds import Kind
from callops.reports.comparing import Align, anchor, compare
from tests.reports.cases import record, row


def leg(seq: int, seconds: float, status: str, via: str = "redirect"):
    return row(seq, Kind.CARRIER_LEG, seconds, role="human", status=status, via=via)


GOOD = record(
    happened=[
        row(1, Kind.OPENAI_ACCEPT_ANSWERED, 1, status=200),
        row(2, Kind.OPERATOR_TRANSFER_ASKED, 10),
        row(3, Kind.CARRIER_REFER, 11),
        leg(4, 12, "ringing", via="refer"),
        leg(5, 15, "in-progress", via="refer"),
    ]
)
BAD = record(
    happened=[
        row(1, Kind.OPENAI_ACCEPT_ANSWERED, 2, status=200),
        row(2, Kind.OPENAI_TURN, 3),
        row(3, Kind.OPERATOR_TRANSFER_ASKED, 40),
        row(4, Kind.CLOCK_REFER_DEADLINE, 44),
        leg(5, 46.5, "ringing"),
        leg(6, 49, "in-progress"),
        leg(7, 60, "ringing"),
    ]
)


def test_steps_are_told_from_the_same_moment_and_missing_ones_say_so() -> None:
    pairs = compare(BAD, GOOD, Align.TRANSFER)

    assert [
        (pair.row.kind, pair.row.body.get("status"), pair.mine_s, pair.theirs_s, pair.later_s) for pair in pairs
    ] == [
        ("openai.accept_answered", 200, -38.0, -9.0, -29.0),
        ("operator.transfer_asked", None, 0.0, 0.0, 0.0),
        ("carrier.refer", None, None, 1.0, None),
        ("clock.refer_deadline", None, 4.0, None, None),
        ("carrier.leg", "ringing", 6.5, 2.0, 4.5),
        ("carrier.leg", "in-progress", 9.0, 5.0, 4.0),
    ]
    assert [pair.differs for pair in pairs] == [False, False, True, True, True, True]


def test_the_same_call_differs_from_itself_in_nothing() -> None:
    for align in Align:
        assert not [pair for pair in compare(BAD, BAD, align) if pair.differs]


def test_a_call_without_the_moment_is_laid_on_its_beginning() -> None:
    short = record(happened=[row(1, Kind.CARRIER_INBOUND, 5), row(2, Kind.US_DIALLED_AI, 5.5)])

    assert anchor(short, Align.TRANSFER) is None
    assert [pair.mine_s for pair in compare(short, short, Align.TRANSFER)] == [0.0, 0.5]
