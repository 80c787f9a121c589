"""What PostgreSQL's indexes must not do to who writes."""

from __future__ import annotations

import json

from tests.deploy.test_backup import manage
from tests.servers import fresh_database

OPTIONS = """
import json
from django.core.management import call_command
from django.db import connection
call_command('migrate', verbosity=0)
with connection.cursor() as cursor:
    cursor.execute(
        "SELECT relname, reloptions FROM pg_class JOIN pg_am ON pg_am.oid = relam"
        " WHERE amname = 'gin' AND relnamespace = 'public'::regnamespace"
    )
    print(json.dumps(dict(cursor.fetchall())))
"""


def test_bug_whoever_wrote_when_a_list_was_full_worked_in_the_words_of_thousands_of_turns(postgres_url: str) -> None:
    options = json.loads(manage(fresh_database(postgres_url), "shell", "--no-imports", "-c", OPTIONS))

    assert set(options) == {"turn_full_text", "call_from_number_part", "call_to_number_part"}
    assert all(each == ["fastupdate=off"] for each in options.values())
