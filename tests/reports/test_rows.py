"""The rows of a timeline: in order, filtered, folded, with what was not seen at its deadline."""

from __future__ import annotations

import random
from xml.etree import ElementTree

from callops.calls.kinds import Kind
from callops.reports import rows as timeline
from callops.reports.overview import COLUMNS, PARTS, strip
from callops.reports.rows import Wanted, chosen, every_row
from tests.reports.cases import record, row
from tests.rows import at

ASKED = row(1, Kind.US_REFER_ASKED, 1, deadline_at=at(5).isoformat(), transfer="01MOVE")
ANSWERED = row(2, Kind.OPENAI_REFER_ANSWERED, 1.6, status=200, transfer="01MOVE")
SVG = "{http://www.w3.org/2000/svg}"


def shown(happened, **wanted):
    one = record(happened=happened)
    return chosen(every_row(one), Wanted(**wanted), timeline.began(one))


def test_what_was_not_seen_stands_at_its_deadline_between_the_facts() -> None:
    told = shown([ASKED, ANSWERED, row(3, Kind.OPERATOR_HANGUP, 9)])

    assert [each.kind for each in told] == [
        "us.refer_asked",
        "openai.refer_answered",
        timeline.NOT_SEEN,
        "operator.hangup",
    ]
    assert told[2].expected.sentence == "REFER at the carrier: not seen by 12:00:05"
    assert [round(each.gap_s, 1) for each in told] == [0, 0.6, 3.4, 4.0]


def test_facts_that_came_late_stand_where_they_belong() -> None:
    facts = [row(seq, Kind.OPENAI_TURN, seq, text=str(seq)) for seq in range(1, 30)]
    shuffled = random.Random(4).sample(facts, len(facts))

    assert [each.seq for each in every_row(record(happened=shuffled))] == list(range(1, 30))


def test_runs_of_one_kind_are_one_row_and_trouble_is_never_hidden_in_one() -> None:
    legs = [row(seq, Kind.CARRIER_LEG, seq) for seq in range(1, 6)]
    errors = [row(seq, Kind.OPENAI_ERROR, seq) for seq in range(6, 10)]

    told = shown([*legs, *errors, row(10, Kind.CARRIER_LEG, 10), row(11, Kind.CARRIER_LEG, 11)])

    assert [(each.seq, len(each.folded)) for each in told] == [
        (1, 5),
        *((seq, 0) for seq in (6, 7, 8, 9, 10, 11)),
    ]
    assert (told[0].lasted_s, all(each.trouble for each in told[1:5])) == (4.0, True)


def test_lanes_kinds_and_a_stretch_of_time_can_be_asked_for() -> None:
    facts = [ASKED, ANSWERED, row(3, Kind.OPERATOR_HANGUP, 9)]

    assert [each.seq for each in shown(facts, lanes=frozenset({"us", "operator"}))] == [1, 3]
    assert [each.kind for each in shown(facts, kinds=frozenset({timeline.NOT_SEEN}))] == [timeline.NOT_SEEN]
    assert [each.seq for each in shown(facts, start_s=0.5, end_s=8)] == [2, 1]


def test_nothing_is_lost_when_rows_are_folded() -> None:
    chance = random.Random(11)
    kinds = [Kind.CARRIER_LEG, Kind.OPENAI_TURN, Kind.OPENAI_ERROR]
    facts = [row(seq, chance.choice(kinds), seq) for seq in range(1, 300)]

    told = shown(facts)

    assert [each.seq for top in told for each in (top.folded or (top,))] == list(range(1, 300))


def test_the_strip_has_a_mark_for_every_lane_and_its_parts_cover_the_time() -> None:
    facts = [ASKED, ANSWERED, row(3, Kind.OPENAI_ERROR, 9)]
    every = every_row(record(happened=facts))
    opened: list[tuple[float, float]] = []

    def href(start_s: float, end_s: float) -> str:
        opened.append((start_s, end_s))
        return f'?from={start_s}&until={end_s}"><script>'

    drawn = strip(every, ["us", "openai", "carrier"], began=at(1), start_s=0, end_s=8, href=href)
    root = ElementTree.fromstring(drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '))

    looks = [each.attrib["class"] for each in root.iter(f"{SVG}rect")]
    assert (looks.count("fact"), looks.count("trouble"), looks.count("absent")) == (2, 1, 1)
    assert opened == [(part, part + 1.0) for part in range(PARTS)]
    assert {each.tag for each in root.iter()} == {f"{SVG}{name}" for name in ("svg", "line", "rect", "a", "title")}


def test_the_strip_stays_small_however_much_happened() -> None:
    facts = [row(seq, Kind.OPENAI_TURN, seq / 100) for seq in range(1, 20_000)]
    every = every_row(record(happened=facts))

    drawn = strip(every, ["openai"], began=at(0), start_s=0, end_s=200, href=lambda start_s, end_s: "?")

    assert drawn.count('class="fact"') == COLUMNS
