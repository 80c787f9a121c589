"""Facts for the judge's tests: made by hand, and drawn at random."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from callops.transfers.verdict import Fact, FactKind
from tests.rows import at

CLAIMS = frozenset({FactKind.ASKED, FactKind.REFER_ANSWERED, FactKind.REDIRECT_ANSWERED})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
true_details: dict[FactKind, st.SearchStrategy[dict[str, Any]]] = {
    FactKind.REFER_ANSWERED: st.fixed_dictionaries({"status": st.sampled_from([200, 404, 429, 500])}),
    FactKind.REDIRECT_ANSWERED: st.fixed_dictionaries({"status": st.sampled_from([200, 400, 503])}),
    FactKind.LOOKED_UP: st.fixed_dictionaries({"ai_leg": st.sampled_from(["in-progress", "completed", None])}),
    FactKind.REDIRECT_UNANSWERED: st.fixed_dictionaries({"reason": st.sampled_from(["timeout", "connect"])}),
    FactKind.DEADLINE_PASSED: st.just({"deadline_s": 4.0}),
    FactKind.DOCUMENT_FETCHED: st.fixed_dictionaries({"via": st.sampled_from(["refer", "redirect", "dial_action"])}),
    FactKind.HUMAN_CONNECTED: st.fixed_dictionaries({"via": st.sampled_from(["refer", "redirect", "dial_action"])}),
    FactKind.ACCEPTED_BY_KEY: st.fixed_dictionaries(
        {"via": st.sampled_from(["refer", "redirect", "dial_action"]), "sid": st.sampled_from(["CA1", "CA2"])}
    ),
    FactKind.HUMAN_DIAL_ENDED: st.fixed_dictionaries(
        {
            "sid": st.sampled_from(["CA1", "CA2", None]),
            "via": st.sampled_from(["refer", "redirect", "dial_action"]),
            "dial_status": st.sampled_from(["completed", "busy", "no-answer", "failed", "canceled"]),
            "bridged": st.sampled_from([True, False, None]),
            "more": st.booleans(),
        }
    ),
}
KEYS = (
    "via",
    "sid",
    "key",
    "status",
    "bridged",
    "dial_status",
    "more",
    "label",
    "sip_code",
    "deadline_s",
    "asked_at",
    "code",
    "by",
    "why",
)
strange_details = st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4)


@st.composite
def any_fact(draw: st.DrawFn, *, kinds: Iterable[FactKind] = FactKind, first: int = 0, last: int = 20) -> Fact:
    """A fact as the doors write it, or with details nobody ever wrote."""
    kind = draw(st.sampled_from(sorted(kinds)))
    detail = draw(true_details.get(kind, st.just({})) if draw(st.integers(0, 4)) else strange_details)
    return Fact(kind, at(draw(st.integers(first, last))), detail)


facts = st.lists(any_fact(), max_size=6)


def fact(kind: FactKind, seconds: float = 0.0, **detail: Any) -> Fact:
    """A witness's word, so many seconds after the transfer was asked for."""
    return Fact(kind, at(seconds), detail)


ASKED = fact(FactKind.ASKED, by="supervisor1")
REFER_200 = fact(FactKind.REFER_ANSWERED, 0.6, status=200, request_id=None, asked_at=at(0).isoformat())
REFER_404 = fact(FactKind.REFER_ANSWERED, 0.6, status=404, request_id="req_1", asked_at=at(0).isoformat())
REFER_LOST = fact(FactKind.REFER_UNANSWERED, 10, reason="timeout")
REFER_SEEN = fact(FactKind.REFER_SEEN, 1.2, target="tel:+15550111")
LATE_REFER = fact(FactKind.REFER_SEEN, 9, target="tel:+15550111")
REFUSED_BY_CARRIER = fact(FactKind.REFER_REFUSED, 2, code=32218)
CHILD_SEEN = fact(FactKind.CHILD_SEEN, 2)
DEADLINE = fact(FactKind.DEADLINE_PASSED, 4, deadline_s=4.0)
REDIRECT_200 = fact(FactKind.REDIRECT_ANSWERED, 4.3, status=200)
REDIRECT_GONE = fact(FactKind.REDIRECT_ANSWERED, 4.3, status=400, error_code=21220)
REDIRECT_500 = fact(FactKind.REDIRECT_ANSWERED, 4.3, status=503)
REDIRECT_LOST = fact(FactKind.REDIRECT_UNANSWERED, 9.3, reason="timeout")
FETCHED = fact(FactKind.DOCUMENT_FETCHED, 5, via="redirect")
TAKEN_BY_ACTION = fact(FactKind.DOCUMENT_FETCHED, 5, via="dial_action")
CALLER_LEFT = fact(FactKind.CALLER_LEFT, 7)
CANCELLED = fact(FactKind.CANCELLED, 3, by="supervisor1")
GAVE_UP = fact(FactKind.GAVE_UP, 60, why="The carrier never said how the human's dial ended.")


def looked_up(seconds: float, ai_leg: str | None, *, caller: str | None = "in-progress") -> Fact:
    return fact(FactKind.LOOKED_UP, seconds, caller=caller, ai_leg=ai_leg)


def ringing(via: str, seconds: float = 6) -> Fact:
    return fact(FactKind.HUMAN_RINGING, seconds, via=via, label="Front desk")


def connected(via: str, seconds: float = 9) -> Fact:
    return fact(FactKind.HUMAN_CONNECTED, seconds, via=via, label="Front desk")


def screening(via: str = "redirect", seconds: float = 8, **more: Any) -> Fact:
    return fact(FactKind.SCREENING, seconds, via=via, **{"label": "Front desk", "sid": "CA1", **more})


def took(via: str = "redirect", seconds: float = 12, **more: Any) -> Fact:
    return fact(FactKind.ACCEPTED_BY_KEY, seconds, via=via, **{"label": "Front desk", "sid": "CA1", "key": "1", **more})


def declined(via: str = "redirect", seconds: float = 12, **more: Any) -> Fact:
    known = {"label": "Front desk", "sid": "CA1", "key": "2"}
    return fact(FactKind.DECLINED_BY_KEY, seconds, via=via, **{**known, **more})


def leg_ended(status: str, code: int, seconds: float = 29, **more: Any) -> Fact:
    known = {"via": "redirect", "label": "Front desk", "sid": "CA1", "sip_code": code}
    return fact(FactKind.HUMAN_LEG_ENDED, seconds, dial_status=status, **{**known, **more})


def dial_ended(status: str, *, via: str = "redirect", seconds: float = 30, **more: Any) -> Fact:
    known = {"label": "Front desk", "bridged": False, "more": False, "sip_code": None}
    return fact(FactKind.HUMAN_DIAL_ENDED, seconds, via=via, dial_status=status, **{**known, **more})
