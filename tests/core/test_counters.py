from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from callops.core.counters import bump
from callops.core.database import in_db
from callops.core.models import Counter

AT = datetime(2025, 11, 6, 17, 4, 33, tzinfo=UTC)


@pytest.mark.django_db
def test_the_first_bump_makes_the_counter_and_the_next_adds_one() -> None:
    bump("twilio_bad_signature", AT, "no header")
    bump("twilio_bad_signature", AT + timedelta(seconds=5), "x" * 500)

    counter = Counter.objects.get()
    assert (counter.name, counter.count) == ("twilio_bad_signature", 2)
    assert counter.last_at == AT + timedelta(seconds=5)
    assert counter.last_reason == "x" * 200
    assert str(counter) == "twilio_bad_signature: 2"


@pytest.mark.django_db(transaction=True)
async def test_bumps_from_many_threads_at_once_all_count() -> None:
    await asyncio.gather(*(in_db(bump)("refused", AT) for _ in range(20)))

    counter = await in_db(Counter.objects.get)(name="refused")
    assert counter.count == 20
