"""`manage.py load_directory FILE.toml`: lines and destinations as the file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from callops.calls.directory import DirectoryError, load


class Command(BaseCommand):
    """Prints what changed; with a fault in the file nothing changes, every fault is named with its line, exit 1."""

    help = "Adds and changes lines and destinations as a TOML file says; running it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.toml")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            changes = load(file)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(f"The database cannot be used ({error}). Is it reachable, and migrated?") from error
        except DirectoryError as error:
            faults = [f"{file}, line {problem.line}: {problem.why}" for problem in error.problems]
            raise CommandError("\n".join([*faults, "Nothing was changed."])) from error
        for change in changes:
            self.stdout.write(change)
        if not changes:
            self.stdout.write(f"Nothing changed: lines and destinations are already as {file} says.")
