"""`manage.py export_caller +15550123 FILE`: everything that is kept of one caller."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from callops.audit import chain, verbs
from callops.core import clock
from callops.custody import extracting
from callops.custody.management.numbers import e164
from callops.people.veil import veil


class Command(BaseCommand):
    """Writes JSON Lines to a new private file (mode 0600). Frames hold what was said as it was said."""

    help = "Writes everything that is kept of a caller's calls to a file, for the caller."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=e164, metavar="NUMBER", help="the caller's number in E.164: +15550123")
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, number: str, file: Path, **options: Any) -> None:
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        chain.record(verbs.BY_COMMAND, verbs.EXPORT, now=clock.now(), detail={"number": veil(number)})
        count = 0
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            for line in extracting.extract(number):
                out.write(line + "\n")
                count += 1
        self.stdout.write(f"{count} rows of {number} are in {file}.")
