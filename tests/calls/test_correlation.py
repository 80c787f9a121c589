"""Which carrier call an AI call belongs to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.calls.correlation import (
    CLOCK_TOLERANCE_S,
    SIGNATURE_LIFE_S,
    WINDOW_S,
    Candidate,
    by_numbers_and_time,
    sign,
    signed_reference,
)
from tests.rows import CALLER, NOON, OUR_NUMBER, at

KEY = "a-key-of-this-installation"
REFERENCE = "01jn8xk2e0h5w7q3m9t6v4c8ya"
SIGNATURE = sign(REFERENCE, key=KEY, at=NOON)


def read(**changed: Any) -> str | None:
    known: dict[str, Any] = {"reference": REFERENCE, "signature": SIGNATURE, "key": KEY, "now": NOON}
    wanted = known | changed
    return signed_reference(wanted["reference"], wanted["signature"], key=wanted["key"], now=wanted["now"])


@pytest.mark.parametrize(
    "seconds", [0, 1, SIGNATURE_LIFE_S, -CLOCK_TOLERANCE_S], ids=["now", "later", "last second", "our clock is behind"]
)
def test_our_own_reference_comes_back(seconds: int) -> None:
    assert read(now=at(seconds)) == REFERENCE


@pytest.mark.parametrize(
    "changed",
    [
        {"now": at(SIGNATURE_LIFE_S + 1)},
        {"now": at(-CLOCK_TOLERANCE_S - 1)},
        {"key": "another-key"},
        {"reference": REFERENCE[:-1] + "b"},
        {"reference": REFERENCE.upper()},
        {"reference": REFERENCE + " "},
        {"reference": None},
        {"reference": ""},
        {"signature": None},
        {"signature": ""},
        {"signature": "."},
        {"signature": SIGNATURE.partition(".")[0]},
        {"signature": SIGNATURE.partition(".")[2]},
        {"signature": SIGNATURE[:-1]},
        {"signature": SIGNATURE + "0"},
        {"signature": "0" + SIGNATURE},
        {"signature": SIGNATURE.upper()},
        {"signature": "-" + SIGNATURE},
        {"signature": "9" * 400 + "." + SIGNATURE.partition(".")[2]},
        {"signature": "\u0661." + SIGNATURE.partition(".")[2]},
        {"signature": f"{int(NOON.timestamp()) + 1}.{SIGNATURE.partition('.')[2]}"},
    ],
    ids=repr,
)
def test_nothing_else_counts(changed: dict[str, Any]) -> None:
    assert read(**changed) is None


@given(st.text(max_size=60), st.text(max_size=90))
def test_no_text_somebody_made_up_is_accepted(reference: str, signature: str) -> None:
    assert read(reference=reference, signature=signature) is None


def test_bug_half_a_character_in_a_header_is_no_signature_and_stops_nothing() -> None:
    assert read(signature=f"{SIGNATURE[:-1]}\ud800") is None
    assert read(reference="\ud800") is None


@given(st.integers(0, len(SIGNATURE) - 1), st.characters())
def test_no_signature_with_one_character_changed_is_accepted(place: int, letter: str) -> None:
    altered = SIGNATURE[:place] + letter + SIGNATURE[place + 1 :]

    assert read(signature=altered) == (REFERENCE if altered == SIGNATURE else None)


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_a_signature_fits_its_own_reference_only(one: str, other: str) -> None:
    signature = sign(one, key=KEY, at=NOON)

    assert read(reference=other, signature=signature) == (other if one == other else None)


def candidate(call_id: str, seconds: float = 0.0, **fields: Any) -> Candidate:
    known = {"from_number": CALLER, "to_number": OUR_NUMBER, "dialled_at": at(seconds)}
    return Candidate(call_id, **{**known, **fields})


def fit(*candidates: Candidate, **asked: Any) -> str | None:
    known = {"from_number": CALLER, "to_number": None, "at": NOON}
    best = by_numbers_and_time(candidates, **{**known, **asked})
    return best.call_id if best else None


@pytest.mark.parametrize(
    ("candidates", "asked", "expected"),
    [
        ([], {}, None),
        ([candidate("a")], {}, "a"),
        ([candidate("a", -3)], {}, "a"),
        ([candidate("a", -WINDOW_S)], {}, "a"),
        ([candidate("a", -WINDOW_S - 1)], {}, None),
        ([candidate("a", WINDOW_S + 1)], {}, None),
        ([candidate("a", from_number="+15550199")], {}, None),
        ([candidate("a", from_number="")], {"from_number": None}, None),
        ([candidate("a", from_number="")], {"from_number": ""}, None),
        ([candidate("a", -2), candidate("b", -30)], {}, "a"),
        ([candidate("b", -30), candidate("a", -2)], {}, "a"),
        ([candidate("a", -2), candidate("b", -3)], {}, None),
        ([candidate("a", -2), candidate("b", -2)], {}, None),
        ([candidate("a", -2), candidate("b", 2)], {}, None),
        ([candidate("a", -30), candidate("b", -2, to_number="+15550101")], {"to_number": OUR_NUMBER}, "a"),
        ([candidate("a", -2), candidate("b", -2, to_number="+15550101")], {"to_number": OUR_NUMBER}, "a"),
        ([candidate("a", -2), candidate("b", -2, from_number="+15550199")], {}, "a"),
    ],
)
def test_the_one_call_that_fits_best_or_none(
    candidates: list[Candidate], asked: dict[str, Any], expected: str | None
) -> None:
    assert fit(*candidates, **asked) == expected


@given(
    st.lists(
        st.builds(
            candidate,
            st.uuids().map(str),
            st.floats(-90, 90),
            from_number=st.sampled_from([CALLER, "+15550199", ""]),
            to_number=st.sampled_from([OUR_NUMBER, "+15550101"]),
        ),
        max_size=6,
    ),
    st.sampled_from([OUR_NUMBER, None]),
    st.randoms(use_true_random=False),
)
def test_the_order_of_candidates_does_not_matter_and_a_stranger_never_fits(
    candidates: list[Candidate], dialled: str | None, chance: Any
) -> None:
    best = fit(*candidates, to_number=dialled)
    shuffled = list(candidates)
    chance.shuffle(shuffled)

    assert fit(*shuffled, to_number=dialled) == best
    if best is not None:
        found = next(one for one in candidates if one.call_id == best)
        assert found.from_number == CALLER
        assert abs(found.dialled_at - NOON) <= timedelta(seconds=WINDOW_S)
