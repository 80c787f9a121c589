"""Many engines claim at the same moment; run in a shell of the app (`manage.py shell`), on PostgreSQL."""

from __future__ import annotations

import json
import threading

from django.db import connection

from callops.core import beats, clock
from callops.sideband import leases
from tests.rows import make_call, make_line, make_session

ENGINES, CALLS = 8, 64


def race() -> None:
    """Accepted calls that nobody holds, and engines that all look at once, again and again; who took what, as JSON."""
    line, now = make_line(), clock.now()
    for _ in range(CALLS):
        make_session(make_call(line), accepted_at=now)
    owners = [f"engine-{number}" for number in range(ENGINES)]
    for owner in owners:
        beats.engine_lives(owner, now)
    took: dict[str, list[int]] = {owner: [] for owner in owners}
    together = threading.Barrier(ENGINES)
    threads = [threading.Thread(target=_claim, args=(owner, took[owner], together)) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(took))


def _claim(owner: str, mine: list[int], together: threading.Barrier) -> None:
    for _ in range(12):
        together.wait(60)
        mine += leases.claim_share(owner=owner, capacity=CALLS, but_not=mine)
    connection.close()
