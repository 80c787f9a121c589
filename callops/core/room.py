"""How much room the database has left, as far as this machine can see."""

from __future__ import annotations

import shutil
from pathlib import Path

from callops.core.config import config


def free_gb() -> float | None:
    """Free space of the disk a SQLite file is on; None for a database elsewhere, whose disk is not ours to see."""
    if not config().is_sqlite:
        return None
    try:
        return shutil.disk_usage(Path(config().database["NAME"]).parent).free / 1e9
    except OSError:
        return None
