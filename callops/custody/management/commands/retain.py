"""`manage.py retain`: the clocks of retention, run now and to the end."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from callops.core import clock
from callops.core.config import config
from callops.custody import clocks


class Command(BaseCommand):
    """Prints what was deleted. The engines do the same by themselves, a few calls at a time."""

    help = (
        "Deletes what has been kept as long as KEEP_TRANSCRIPTS_DAYS, KEEP_FRAMES_DAYS and KEEP_AUDIT_DAYS say; calls"
        " on hold are left."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        settings = config()
        if not (settings.keep_transcripts_days or settings.keep_frames_days or settings.keep_audit_days):
            self.stdout.write(
                "Everything is kept for good: no KEEP_TRANSCRIPTS_DAYS, KEEP_FRAMES_DAYS, KEEP_AUDIT_DAYS."
            )
            return
        done: Counter[str] = Counter()
        while step := clocks.run(clock.now()):
            done += step
        for what, count in done.items():
            self.stdout.write(f"{what}: {count}")
        if not done:
            self.stdout.write("Nothing has been kept too long.")
