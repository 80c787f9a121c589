"""All processes go by one clock, the database's, where there are several machines."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import connection

from callops.core import clock

EVERY_S = 5.0

_asked: float | None = None


def keep_time() -> None:
    """This process goes by the database's time, asked at most every `EVERY_S`; SQLite has no time of its own."""
    global _asked
    moment = time.monotonic()
    if connection.vendor != "postgresql" or (_asked is not None and moment - _asked < EVERY_S):
        return
    clock.follow(database_time())
    _asked = moment


def database_time() -> datetime:
    """What PostgreSQL's clock shows now; the answer's way back is half of the time it took."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told: datetime = cursor.fetchone()[0]
    return told + timedelta(seconds=(time.monotonic() - began) / 2)
