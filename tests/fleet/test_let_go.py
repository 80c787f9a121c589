"""Locks of a process that stands still do not stand with it."""

from __future__ import annotations

import psycopg
import pytest
from django.db import InternalError

from callops.core.database import AWAY, is_cut_off
from callops.site import shapes
from tests.servers import Postgres, fresh_database, wait_until


def test_a_process_that_was_paused_in_a_transaction_keeps_no_row_from_the_others(postgres: Postgres) -> None:
    url = fresh_database(postgres.url)
    database = shapes.database(url)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("CREATE TABLE leases (pk int PRIMARY KEY, owner text)")
        other.execute("INSERT INTO leases VALUES (1, 'paused')")
        paused = psycopg.connect(url, options=database["OPTIONS"]["options"])
        paused.execute("SELECT * FROM leases WHERE pk = 1 FOR UPDATE")

        other.execute("SET lock_timeout = '20s'")
        other.execute("UPDATE leases SET owner = 'other' WHERE pk = 1")
        wait_until(lambda: other.execute("SELECT owner FROM leases").fetchone() == ("other",), "it took over")

        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            paused.execute("UPDATE leases SET owner = 'paused' WHERE pk = 1")
        paused.close()


def test_whoever_gives_options_of_their_own_has_those() -> None:
    database = shapes.database("postgres://u:p@db/callops?options=-c%20statement_timeout%3D1000")

    assert database["OPTIONS"]["options"] == "-c statement_timeout=1000"


def test_that_the_server_ended_such_a_transaction_is_a_reason_to_try_again() -> None:
    ended = InternalError("terminating connection due to idle-in-transaction timeout")
    ended.__cause__ = psycopg.errors.IdleInTransactionSessionTimeout()

    assert isinstance(ended, AWAY)
    assert not is_cut_off(ended)
