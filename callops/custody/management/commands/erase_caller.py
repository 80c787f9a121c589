"""`manage.py erase_caller +15550123`: one caller is forgotten, with a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from callops.core import clock
from callops.custody import erasing
from callops.custody.erasing import NOT_TOUCHED, Report
from callops.custody.management.numbers import e164


class Command(BaseCommand):
    """Prints the report; exit status 1 when calls had to be left (on hold, or not over)."""

    help = "Erases a caller's number, where they called from and what was said. The calls' times and proofs stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=e164, metavar="NUMBER", help="the caller's number in E.164: +15550123")
        parser.add_argument("--dry-run", action="store_true", help="say what would be erased and change nothing")
        parser.add_argument("--by", default="command line", help="who asked for it")
        parser.add_argument("--report", type=Path, metavar="FILE", help="also write the report there, as JSON")

    def handle(self, *args: Any, number: str, dry_run: bool, by: str, report: Path | None, **options: Any) -> None:
        done = erasing.erase(number, by=by, now=clock.now(), really=not dry_run)
        if report is not None:
            report.write_text(json.dumps(_plain(done, dry_run=dry_run), indent=2) + "\n", encoding="utf-8")
        for line in _said(done, dry_run=dry_run):
            self.stdout.write(line)
        if not done.is_complete:
            raise CommandError("Not everything could be erased: see the calls above that were left.")


def _plain(done: Report, *, dry_run: bool) -> dict[str, Any]:
    return {
        "number": done.number,
        "at": done.at.isoformat(),
        "dry_run": dry_run,
        "erased": done.erased,
        "left_on_hold": done.held,
        "left_because_not_over": done.live,
        "counts": dict(done.counts),
        "not_touched": list(NOT_TOUCHED),
    }


def _said(done: Report, *, dry_run: bool) -> list[str]:
    verb = "Would erase" if dry_run else "Erased"
    lines = [f"{verb} {len(done.erased)} calls of {done.number}."]
    for one in done.erased:
        lines.append(f"  {one['call']}  Twilio {one['twilio'] or 'none'}  OpenAI {one['openai'] or 'none'}")
    lines += [f"  {what}: {count}" for what, count in done.counts.items()]
    lines += [f"Left, on hold: {call} (manage.py hold {call} --lift)" for call in done.held]
    if done.held:
        lines.append("Left, because of the hold: notes, titles and views. Erase again when it is lifted.")
    lines += [f"Left, not over yet: {call}" for call in done.live]
    return [*lines, *NOT_TOUCHED]
