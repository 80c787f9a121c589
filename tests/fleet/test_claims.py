"""Engines that claim at the same moment share the calls out: each call has one owner, and nobody takes them all."""

from __future__ import annotations

import json

from tests.deploy.test_backup import manage
from tests.fleet.claims import CALLS, ENGINES
from tests.servers import fresh_database


def test_engines_that_claim_at_once_hold_every_call_once_and_share_fairly(postgres_url: str) -> None:
    script = "from tests.fleet import claims; from django.core.management import call_command as run; "
    script += "run('migrate', verbosity=0); claims.race()"

    took = json.loads(manage(fresh_database(postgres_url), "shell", "--no-imports", "-c", script))

    held = [session for sessions in took.values() for session in sessions]
    assert len(held) == len(set(held)) == CALLS
    assert max(map(len, took.values())) <= 2 * CALLS // ENGINES
