"""`engine`: the engine alone, any number of processes beside one another."""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from callops.core.loaded import keep_loaded
from callops.core.readiness import unapplied_migrations
from callops.core.service import run_alone


class Command(BaseCommand):
    """Works until SIGTERM or SIGINT, then gives its leases back."""

    help = "Run the engine alone (PostgreSQL and Redis; any number of processes)."
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one engine on an event loop of its own."""
        from callops.engine.engine import Engine

        if missing := unapplied_migrations():
            names = ", ".join(missing)
            raise CommandError(f"The database lacks migrations ({names}). Run `python manage.py migrate` first.")
        keep_loaded()
        asyncio.run(run_alone(Engine(), ready=self._say_ready))

    def _say_ready(self) -> None:
        self.stdout.write("The engine runs.")
        self.stdout.flush()
