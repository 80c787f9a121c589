"""`doctor`: is everything there that calls need?"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from callops.core.config import config
from callops.site import doctor


class Command(BaseCommand):
    """One line for each finding; exit status 1 if any is red."""

    help = "Check settings, secrets, reachability, clock, migrations and workers, and say how to mend what is wrong."
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the findings as they come."""
        red = 0
        for finding in doctor.findings(config()):
            self.stdout.write(self._line(finding))
            red += finding.ok is False
        if red:
            self.stdout.write(f"{red} to mend.")
            sys.exit(1)
        self.stdout.write("All is well.")

    def _line(self, finding: doctor.Finding) -> str:
        if finding.ok is None:
            hint = f". If that is not meant, {finding.mend}" if finding.mend else ""
            return f"note  {finding.name}: {finding.text}{hint}."
        if finding.ok:
            return self.style.SUCCESS("ok  ") + f"  {finding.name}: {finding.text}"
        return self.style.ERROR("RED ") + f"  {finding.name}: {finding.text}. To mend it, {finding.mend}."
