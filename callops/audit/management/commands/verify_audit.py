"""`manage.py verify_audit`: whether the audit is whole."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from callops.audit import chain
from callops.audit.models import Entry


class Command(BaseCommand):
    """Reads the whole chain; exit status 1 and the first row that is changed, missing or out of place."""

    help = "Checks every entry of the audit against the hash of the one before."

    def handle(self, *args: Any, **options: Any) -> None:
        if fault := chain.first_fault():
            raise CommandError(fault)
        self.stdout.write(f"The audit is whole: {Entry.objects.count()} entries.")
