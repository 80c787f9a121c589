"""A bundle read again: every hash is right, nothing was added, and the evidence still proves what the bundle says."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from callops.reports.bundle import FORMAT, MANIFEST, Entry, whole
from callops.reports.fixture import FORMAT as FIXTURE
from callops.reports.record import moment
from callops.transfers.verdict import Fact, FactKind, Verdict, judge

KNOWN: Final = frozenset(FactKind)
MOST_JSON: Final = 256 * 1024 * 1024
"""No file of a bundle that has to be understood is larger; a bomb is not unpacked."""
PIECE: Final = 1 << 20


class Unreadable(Exception):
    """The file is no bundle; the message says why."""


def problems(path: Path) -> list[str]:
    """What is wrong with the bundle, a sentence each; empty when every hash is right and every verdict is reproduced.

    Raises `Unreadable` when it is no bundle at all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive)
            return [*_wrong_files(archive, manifest), *_wrong_verdicts(archive)]
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{path.name} is no bundle that can be read: {error}") from error


def fixture_of(path: Path) -> dict[str, Any]:
    """What a bundle holds for the simulator. Raises `Unreadable` when it is not what was handed out."""
    if found := problems(path):
        raise Unreadable(" ".join(found))
    with zipfile.ZipFile(path) as archive:
        if "fixture.json" not in archive.namelist():
            raise Unreadable(f"{path.name} has no fixture: it was made before there were any")
        told = json.loads(_text(archive, "fixture.json"))
    if not isinstance(told, dict) or told.get("format") != FIXTURE:
        raise Unreadable(f"its fixture does not say “{FIXTURE}”")
    return told


def verdict_of(transfer: Mapping[str, Any]) -> Verdict:
    """What the evidence of one transfer of `transfers.json` proves."""
    facts = [
        Fact(FactKind(row["kind"]), moment(row["at"]), row["detail"])  # type: ignore[arg-type]
        for row in transfer["evidence"]
        if row["kind"] in KNOWN
    ]
    return judge(facts, refer_only=transfer["refer_only"])


def _manifest(archive: zipfile.ZipFile) -> Mapping[str, Any]:
    manifest = json.loads(_text(archive, MANIFEST))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Unreadable(f"its manifest does not say “{FORMAT}”")
    return manifest


def _wrong_files(archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> Iterator[str]:
    entries = [Entry(row["name"], row["bytes"], row["sha256"]) for row in manifest["files"]]
    there = archive.namelist()
    for entry in entries:
        if there.count(entry.name) != 1:
            yield f"{entry.name} is in the zip {there.count(entry.name)} times."
        elif _hash(archive, entry.name) != (entry.size, entry.sha256):
            yield f"{entry.name} is not what the manifest says."
    for name in sorted(set(there) - {entry.name for entry in entries} - {MANIFEST}):
        yield f"{name} is not in the manifest."
    if whole(entries) != manifest["whole"]:
        yield "The hash of the whole is not that of the files."


def _wrong_verdicts(archive: zipfile.ZipFile) -> Iterable[str]:
    for transfer in json.loads(_text(archive, "transfers.json")):
        said, found = transfer["verdict"], verdict_of(transfer)
        if (said["mechanism"], said["outcome"]) != (found.mechanism.value, found.outcome.value):
            yield (
                f"The evidence of transfer {transfer['id']} proves {found.mechanism.value}, {found.outcome.value}; "
                f"the bundle says {said['mechanism']}, {said['outcome']}."
            )


def _hash(archive: zipfile.ZipFile, name: str) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with archive.open(name) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def _text(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > MOST_JSON:
        raise Unreadable(f"{name} is larger than any bundle's")
    return archive.read(name)
