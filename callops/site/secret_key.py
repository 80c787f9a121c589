"""A secret that is made once and kept in a file only its owner can read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def kept_secret_key(path: Path) -> str:
    """The key in `path`; made now (mode 0600) if there is none. Processes that start together agree on one."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="ascii").strip()
    keep(path, secrets.token_urlsafe(64))
    return path.read_text(encoding="ascii").strip()


def keep(path: Path, text: str) -> None:
    """Write `text` to a new private file; a file that is already there stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
