"""Where a line's breaker stands, and the words for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.transfers.breaker import PROBE_EVERY_S, Position, Wish, decide, is_sick
from callops.transfers.health import Health, Refer, health_of
from callops.transfers.models import Force
from tests.rows import NOON, at
from tests.transfers.test_health import refers

CLOSED, OPEN, HALF_OPEN = Position.CLOSED, Position.OPEN, Position.HALF_OPEN
OPENED = Wish(force=Force.OPEN, by="anna", why="the trunk is down")
SHUT = Wish(force=Force.CLOSED, by="anna", why="a test")

TABLE = [
    # what became of the REFERs (the last one an hour ago or less), seconds since the last one, position, because
    ("", 60, CLOSED, "No REFER is known of in the last 24 hours"),
    ("???????", 60, CLOSED, "No REFER is known of in the last 24 hours"),
    ("u", 60, CLOSED, "REFER has been silent for 1 of 1"),
    ("uuuuuu", 60, CLOSED, "REFER has been silent for 6 of 6, too few to judge"),
    ("uuuuuuu", 60, OPEN, "REFER has been silent for 7 of 7"),
    ("rrrrrrr", 60, OPEN, "REFER was seen in time for 0 of 7 (7 refused)"),
    ("lllllll", 60, OPEN, "REFER was seen in time for 0 of 7 (7 late)"),
    ("ullrrru", 60, OPEN, "REFER was seen in time for 0 of 7 (2 silent, 2 late, 3 refused)"),
    ("puuuuuu", 60, CLOSED, "REFER was seen in time for 1 of 7 (6 silent)"),
    ("puuuuuuu", 60, OPEN, "REFER was seen in time for 1 of 8 (7 silent)"),
    ("ppppppp", 60, CLOSED, "REFER was seen in time for 7 of 7"),
    ("p" * 13 + "u" * 7, 60, CLOSED, "REFER was seen in time for 13 of 20 (7 silent)"),
    ("p" * 20 + "u" * 20, 60, OPEN, "REFER has been silent for 20 of 20"),
    ("uuuuuuu", PROBE_EVERY_S - 1, OPEN, "REFER has been silent for 7 of 7"),
    ("uuuuuuu", PROBE_EVERY_S, HALF_OPEN, "REFER has been silent for 7 of 7"),
    ("uuuuuuup", 60, OPEN, "REFER was seen in time for 1 of 8 (7 silent)"),
    ("uuuuuuup", PROBE_EVERY_S, HALF_OPEN, "REFER was seen in time for 1 of 8 (7 silent)"),
    ("uuuuuuupp", 60, CLOSED, "REFER was seen in time for 2 of 9 (7 silent)"),
    ("uuuuuuuuuuupp", 60, CLOSED, "REFER was seen in time for 2 of 13 (11 silent), the last 2 without a miss"),
    ("uuuuuuuuuuupup", 60, OPEN, "REFER was seen in time for 2 of 14 (12 silent)"),
    ("uuuuuuuuuuuppu", 60, OPEN, "REFER was seen in time for 2 of 14 (12 silent)"),
]


@pytest.mark.parametrize(("fates", "since", "position", "because"), TABLE)
def test_the_breaker_by_itself(fates: str, since: float, position: Position, because: str) -> None:
    asked = refers(fates, start=-since - 10 * max(0, len(fates) - 1))

    decision = decide(health_of(asked, now=NOON), wish=Wish(), probe_at=None, now=NOON)

    assert (decision.position, decision.because) == (position, because)


def test_the_next_probe_is_due_ten_minutes_after_the_last_refer_or_the_last_probe() -> None:
    health = health_of(refers("uuuuuuu", start=-3600), now=NOON)

    taken = decide(health, wish=Wish(), probe_at=at(-1), now=NOON)
    due = decide(health, wish=Wish(), probe_at=at(-PROBE_EVERY_S), now=NOON)

    assert (taken.position, taken.probe_due_at) == (OPEN, at(PROBE_EVERY_S - 1))
    assert due.position == HALF_OPEN


def test_what_an_operator_forces_holds_whatever_the_health_and_sends_no_probe() -> None:
    sick = health_of(refers("uuuuuuu", start=-7200), now=NOON)

    opened = decide(Health(proven=20), wish=OPENED, probe_at=None, now=NOON)
    shut = decide(sick, wish=SHUT, probe_at=None, now=NOON)

    assert (opened.position, opened.because) == (OPEN, "The breaker is forced open by anna (the trunk is down)")
    assert (shut.position, shut.because) == (CLOSED, "The breaker is forced closed by anna (a test)")
    assert decide(sick, wish=OPENED, probe_at=None, now=NOON).position == OPEN


fates_drawn = st.lists(st.sampled_from("plur?"), max_size=30).map("".join)
wishes = st.sampled_from([Wish(), OPENED, SHUT])
probes = st.none() | st.integers(-1000, 0).map(at)


@given(fates_drawn, wishes, probes, st.integers(0, 1000))
def test_every_line_has_a_decision_with_a_reason(fates: str, wish: Wish, probe_at: object, later: int) -> None:
    health = health_of(refers(fates, start=-400), now=NOON)

    decision = decide(health, wish=wish, probe_at=probe_at, now=at(later))

    assert decision.because[0].isupper()
    assert not decision.because.endswith(".")
    if wish.force == Force.AUTO:
        assert (decision.position == CLOSED) == (not is_sick(health))
    if decision.position == HALF_OPEN:
        assert wish.force == Force.AUTO
        assert decision.probe_due_at <= at(later)


@given(fates_drawn, st.data())
def test_the_order_in_which_the_refers_are_read_does_not_matter(fates: str, data: st.DataObject) -> None:
    same_moment = [Refer(NOON, refer.id, refer.fate) for refer in refers(fates)]
    shuffled = data.draw(st.permutations(same_moment))

    decisions = {
        decide(health_of(read, now=NOON), wish=Wish(), probe_at=None, now=at(60)) for read in (same_moment, shuffled)
    }

    assert len(decisions) == 1


@given(fates_drawn)
def test_two_proofs_in_a_row_always_close_it(fates: str) -> None:
    health = health_of(refers(f"{fates}pp"), now=NOON)

    assert health.proven_in_a_row >= 2
    assert decide(health, wish=Wish(), probe_at=None, now=NOON).position == CLOSED
