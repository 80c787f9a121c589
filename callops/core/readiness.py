"""Whether this process can do its work now: database, migrations, channel layer."""

from __future__ import annotations

import asyncio

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

LAYER_TIMEOUT_S = 2.0

_migrated = False


def reasons() -> list[str]:
    """Why this process is not ready; empty when it is. Never says where anything is or how to get in."""
    try:
        missing = unapplied_migrations()
    except DatabaseError:
        return ["the database cannot be reached"]
    found = [f"{len(missing)} migrations are not applied"] if missing else []
    return found + ([] if layer_answers() else ["the channel layer cannot be reached"])


def unapplied_migrations() -> list[str]:
    """Names of migrations the database does not have; raises `DatabaseError` when it cannot be reached.

    Once everything is applied only the connection is tried again.
    """
    global _migrated
    connection.ensure_connection()
    if _migrated:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return []
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    _migrated = not plan
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def layer_answers() -> bool:
    """Whether a message can be handed to the channel layer within two seconds."""
    try:
        async_to_sync(_try_layer)()
    except Exception:  # each layer has errors of its own; any of them means no
        return False
    return True


async def _try_layer() -> None:
    layer = get_channel_layer()
    await asyncio.wait_for(layer.group_send("callops.readiness", {"type": "ready"}), LAYER_TIMEOUT_S)
