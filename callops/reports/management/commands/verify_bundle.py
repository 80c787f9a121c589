"""`manage.py verify_bundle FILE`: is this evidence what was handed out?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from callops.reports.checking import Unreadable, problems


class Command(BaseCommand):
    """Exit status 1 when a hash is wrong, a file was added, or the evidence proves something else."""

    help = "Checks the hashes of an evidence bundle and judges its evidence again."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            found = problems(file)
        except Unreadable as error:
            raise CommandError(str(error)) from error
        if found:
            raise CommandError("\n".join(found))
        self.stdout.write(f"{file.name}: every hash is right, and the evidence proves what the bundle says.")
