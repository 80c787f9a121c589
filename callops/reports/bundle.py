"""The evidence of one call as a zip: made piece by piece, and the same bytes for the same call and the same time.

`manifest.json` has the SHA-256 of every other file. `whole` is the SHA-256 of the list of these files as `sha256sum`
writes it: one line `HASH  NAME` for each, in the order of the manifest, each ended by a line feed.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from callops.reports import ladder, to_openai, to_twilio, writing
from callops.reports.fixture import fixture
from callops.reports.masking import masked
from callops.reports.record import CallRecord, iso
from callops.reports.steps import steps

FORMAT: Final = "callops evidence 1"
MANIFEST: Final = "manifest.json"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_PRIVATE: Final = 0o600 << 16
_UNIX: Final = 3

FILES: Mapping[str, Callable[[CallRecord], Iterable[str]]] = {
    "README.md": writing.readme,
    "report-openai.md": lambda record: [to_openai.report(record)],
    "report-twilio.md": lambda record: [to_twilio.report(record)],
    "ladder.svg": lambda record: [ladder.svg(steps(record), title=f"Call {record.id}", alone=True)],
    "ladder.txt": lambda record: [ladder.text(steps(record), title=f"Call {record.id}")],
    "timeline.jsonl": writing.timeline,
    "timeline.csv": writing.timeline_table,
    "transcript.txt": writing.transcript,
    "transcript.jsonl": writing.transcript_rows,
    "transcript.csv": writing.transcript_table,
    "transfers.json": writing.transfers,
    "http.jsonl": writing.http,
    "webhooks.jsonl": writing.webhook_rows,
    "expected.jsonl": writing.expectations,
    "session.jsonl": writing.pulse,
    "call.json": writing.call,
    "fixture.json": fixture,
    "settings.json": writing.settings,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a bundle as the manifest lists it."""

    name: str
    size: int
    sha256: str


def file_name(record: CallRecord) -> str:
    """What the bundle is called when it is saved."""
    return f"callops-{record.id}.zip"


def bundle(record: CallRecord, *, numbers: bool = False) -> Iterator[bytes]:
    """The zip in pieces. Secrets are left out; telephone numbers are masked unless `numbers`."""
    shown = masked(record, numbers=numbers)
    sink = _Sink()
    entries: list[Entry] = []
    with zipfile.ZipFile(cast(Any, sink), "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, texts in FILES.items():
            yield from _write(archive, sink, name, texts(shown), entries)
        manifest = json.dumps(_manifest(shown, entries, numbers=numbers), indent=2) + "\n"
        yield from _write(archive, sink, MANIFEST, [manifest], [])
    yield sink.taken()


def whole(entries: Iterable[Entry]) -> str:
    """The hash over all files, from the hash of each."""
    lines = "".join(f"{entry.sha256}  {entry.name}\n" for entry in entries)
    return hashlib.sha256(lines.encode()).hexdigest()


def _manifest(record: CallRecord, entries: list[Entry], *, numbers: bool) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "call": record.id,
        "made_at": iso(record.made_at),
        "numbers": "readable" if numbers else "masked",
        "files": [{"name": entry.name, "bytes": entry.size, "sha256": entry.sha256} for entry in entries],
        "whole": whole(entries),
    }


def _write(
    archive: zipfile.ZipFile, sink: _Sink, name: str, texts: Iterable[str], entries: list[Entry]
) -> Iterator[bytes]:
    """One file into the archive, what is ready of the zip after each piece, and its entry."""
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, _PRIVATE, _UNIX
    digest, size = hashlib.sha256(), 0
    with archive.open(info, "w") as file:
        for text in texts:
            data = text.encode("utf-8", "replace")
            digest.update(data)
            size += len(data)
            file.write(data)
            if ready := sink.taken():
                yield ready
    entries.append(Entry(name, size, digest.hexdigest()))
    yield sink.taken()


class _Sink:
    """A file that can only be written to, and is emptied as it fills."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        """What was written since the last time."""
        ready = b"".join(self._pieces)
        self._pieces.clear()
        return ready
