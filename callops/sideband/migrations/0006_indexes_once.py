"""Indexes of a foreign key that begin another index go: what is said is written to each of them several times a second."""

from typing import Any, Final

import django.db.models.deletion
from django.db import migrations, models

KEYS: Final = (("sideband_turn", "call_id"), ("sideband_framebatch", "session_id"))


def forwards(apps: Any, schema_editor: Any) -> None:
    """No index is of the key alone; on PostgreSQL a text's key had two."""
    connection = schema_editor.connection
    online = "CONCURRENTLY" if connection.vendor == "postgresql" else ""
    for table, column in KEYS:
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, table)
        for name, kind in found.items():
            if kind["columns"] == [column] and kind["index"] and not kind["unique"]:
                schema_editor.execute(f'DROP INDEX {online} IF EXISTS "{name}"', None)


def backwards(apps: Any, schema_editor: Any) -> None:
    """Each key has an index of its own again."""
    for table, column in KEYS:
        schema_editor.execute(f"CREATE INDEX IF NOT EXISTS {table}_{column}_alone ON {table} ({column})", None)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("calls", "0005_numbers_at_once"), ("sideband", "0005_words_at_once")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(forwards, backwards)],
            state_operations=[
                migrations.AlterField(
                    "turn",
                    "call",
                    models.ForeignKey(
                        "calls.call",
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="turns",
                    ),
                ),
                migrations.AlterField(
                    "framebatch",
                    "session",
                    models.ForeignKey(
                        "sideband.aisession",
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="batches",
                    ),
                ),
            ],
        )
    ]
