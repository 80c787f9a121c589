"""Calls are found by any id and by part of a number without reading all of them."""

from typing import Any, Final

from django.db import migrations, models

NUMBERS: Final = ("from_number", "to_number")


def has_trigrams(connection: Any) -> bool:
    """Whether PostgreSQL has `pg_trgm`, or may be given it now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm'),"
            " EXISTS (SELECT FROM pg_available_extension_versions WHERE name = 'pg_trgm' AND trusted)"
            " AND has_database_privilege(current_database(), 'CREATE')"
        )
        has, may = cursor.fetchone()
    return bool(has or may)


def forwards(apps: Any, schema_editor: Any) -> None:
    """Numbers by trigrams; without the extension they are looked for from the newest call backwards."""
    if schema_editor.connection.vendor != "postgresql" or not has_trigrams(schema_editor.connection):
        return
    schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm", None)
    for name in NUMBERS:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS call_{name}_part", None)
        schema_editor.execute(
            f"CREATE INDEX CONCURRENTLY call_{name}_part ON calls_call USING gin ({name} gin_trgm_ops)", None
        )


def backwards(apps: Any, schema_editor: Any) -> None:
    """The extension stays: others may use it."""
    if schema_editor.connection.vendor == "postgresql":
        for name in NUMBERS:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS call_{name}_part", None)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("calls", "0002_redact")]
    operations = [
        migrations.AddIndex("call", models.Index(fields=["ai_leg_sid"], name="call_ai_leg_sid")),
        migrations.AddIndex("call", models.Index(fields=["line", "id"], name="call_line_id")),
        migrations.RunPython(forwards, backwards),
    ]
