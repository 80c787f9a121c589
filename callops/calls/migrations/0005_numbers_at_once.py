"""Numbers of a call go into PostgreSQL's indexes with the call, and not by the hundred while somebody waits for the one
who happens to write then.
"""

from importlib import import_module
from typing import Any

from django.db import migrations

INDEXES = [f"call_{name}_part" for name in import_module("callops.calls.migrations.0003_search").NUMBERS]


def _there(schema_editor: Any) -> list[str]:
    """Those of the indexes that there are: none without the extension."""
    if schema_editor.connection.vendor != "postgresql":
        return []
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE indexname = ANY(%s)", [INDEXES])
        return [name for (name,) in cursor.fetchall()]


def forwards(apps: Any, schema_editor: Any) -> None:
    """Nothing waits, and nothing will."""
    for index in _there(schema_editor):
        schema_editor.execute(f"ALTER INDEX {index} SET (fastupdate = off)", None)
        schema_editor.execute(f"SELECT gin_clean_pending_list('{index}')", None)


def backwards(apps: Any, schema_editor: Any) -> None:
    """As before."""
    for index in _there(schema_editor):
        schema_editor.execute(f"ALTER INDEX {index} RESET (fastupdate)", None)


class Migration(migrations.Migration):
    dependencies = [("calls", "0004_board")]
    operations = [migrations.RunPython(forwards, backwards)]
