"""What a call costs: prices of the day, and honesty about what is missing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from callops.supervision import cost
from callops.supervision.models import Price

DAY = date(2026, 11, 20)
PRICES = [
    Price(model="m", from_day=date(2026, 11, 1), text_in=Decimal(4), audio_out=Decimal(64)),
    Price(model="m", from_day=date(2026, 12, 1), text_in=Decimal(400)),
    Price(model="w", from_day=date(2026, 11, 1), per_minute=Decimal("0.017")),
]


def judged(**usage: float) -> cost.Cost:
    return cost.judge([usage], model="m", transcriber="w", day=DAY, prices=PRICES)


def test_the_price_of_the_day_counts_and_transcription_by_the_minute() -> None:
    known = judged(text_in=1_000_000, audio_out=500_000, heard_s=60)

    assert known.usd == Decimal("4") + Decimal("32") + Decimal("0.017")
    assert (known.missing, known.cents) == ([], "$36.0170")
    assert known.priced_as == "m, price of 2026-11-01"


@pytest.mark.parametrize(
    ("usage", "words"),
    [({"gaps": 1}, "not connected"), ({"running": 1}, "not been metered yet"), ({"unmetered": 2}, "without figures")],
)
def test_a_lower_bound_says_what_is_missing(usage: dict[str, int], words: str) -> None:
    known = judged(text_in=10, **usage)

    assert any(words in reason for reason in known.missing)
    assert known.cents.startswith("≥ $")


def test_a_model_without_a_price_costs_at_least_nothing() -> None:
    known = cost.judge([{"text_in": 5}], model="other", transcriber="w", day=DAY, prices=PRICES)

    assert (known.usd, known.priced_as) == (Decimal(0), "")
    assert "no price of this model is known" in known.missing


@pytest.mark.django_db
def test_the_first_prices_are_there_for_the_model_a_line_has_by_default() -> None:
    assert Price.objects.get(model="gpt-realtime-2.1").audio_out == 64
    assert Price.objects.get(model="gpt-realtime-whisper").per_minute == Decimal("0.0170")
