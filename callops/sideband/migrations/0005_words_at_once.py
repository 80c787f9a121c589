"""Words of a finished turn go into PostgreSQL's index with the turn. Else they wait on a list, and whoever
writes when it is full works all of it in: for a fifth of a second nothing that is said is kept, and nobody sees it.
"""

from importlib import import_module
from typing import Any

from django.db import migrations

INDEX = import_module("callops.sideband.migrations.0004_full_text").INDEX


def forwards(apps: Any, schema_editor: Any) -> None:
    """Nothing waits, and nothing will."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER INDEX {INDEX} SET (fastupdate = off)", None)
        schema_editor.execute(f"SELECT gin_clean_pending_list('{INDEX}')", None)


def backwards(apps: Any, schema_editor: Any) -> None:
    """As before."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER INDEX {INDEX} RESET (fastupdate)", None)


class Migration(migrations.Migration):
    dependencies = [("sideband", "0004_full_text")]
    operations = [migrations.RunPython(forwards, backwards)]
