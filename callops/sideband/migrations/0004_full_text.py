"""Words of finished turns become findable: an index of PostgreSQL over the rows, a table of FTS5 beside them on SQLite.

SQLite drops a table's triggers with the table: a later migration that makes `sideband_turn` anew has to call
`callops.sideband.migrations.0004_full_text.follow` again.
"""

from typing import Any, Final

from django.db import migrations

LONGEST: Final = 100_000
PARTED: Final = "@./-_:+&=?#%~"
"""PostgreSQL would take an address or a number with a point for one word."""
INDEX: Final = "turn_full_text"
FTS: Final = "sideband_turn_text"

POSTGRESQL: Final = (
    f"CREATE INDEX CONCURRENTLY {INDEX} ON sideband_turn"
    f" USING gin (to_tsvector('simple'::regconfig, translate(\"left\"(text, {LONGEST}), '{PARTED}', '{' ' * len(PARTED)}')))"
    " WHERE final"
)
SQLITE: Final = (
    f"CREATE VIRTUAL TABLE {FTS}"
    " USING fts5(text, content='sideband_turn', content_rowid='id', tokenize='unicode61 remove_diacritics 0')",
    f"INSERT INTO {FTS}(rowid, text) SELECT id, text FROM sideband_turn WHERE final",
)
TRIGGERS: Final = (
    f"CREATE TRIGGER {FTS}_added AFTER INSERT ON sideband_turn WHEN new.final BEGIN"
    f" INSERT INTO {FTS}(rowid, text) VALUES (new.id, new.text); END",
    f"CREATE TRIGGER {FTS}_gone AFTER DELETE ON sideband_turn WHEN old.final BEGIN"
    f" INSERT INTO {FTS}({FTS}, rowid, text) VALUES ('delete', old.id, old.text); END",
    f"CREATE TRIGGER {FTS}_changed AFTER UPDATE OF text, final ON sideband_turn"
    " WHEN old.final IS NOT new.final OR (new.final AND old.text IS NOT new.text) BEGIN"
    f" INSERT INTO {FTS}({FTS}, rowid, text) SELECT 'delete', old.id, old.text WHERE old.final;"
    f" INSERT INTO {FTS}(rowid, text) SELECT new.id, new.text WHERE new.final; END",
)


def follow(schema_editor: Any) -> None:
    """On SQLite the words follow every change of a turn from now on."""
    for trigger in TRIGGERS:
        schema_editor.execute(trigger, None)


def forwards(apps: Any, schema_editor: Any) -> None:
    """The words of what is kept can be found."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}", None)
        schema_editor.execute(POSTGRESQL, None)
    else:
        for statement in SQLITE:
            schema_editor.execute(statement, None)
        follow(schema_editor)


def backwards(apps: Any, schema_editor: Any) -> None:
    """As before; no turn is touched."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}", None)
        return
    for name in ("added", "gone", "changed"):
        schema_editor.execute(f"DROP TRIGGER {FTS}_{name}", None)
    schema_editor.execute(f"DROP TABLE {FTS}", None)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sideband", "0003_usage")]
    operations = [migrations.RunPython(forwards, backwards)]
