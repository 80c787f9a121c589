"""`serve`: web pages, webhooks, sockets and engine in one process, on one event loop."""

from __future__ import annotations

import argparse
import os
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from callops.core.config import config
from callops.core.loaded import keep_loaded
from callops.core.readiness import unapplied_migrations
from callops.core.service import Service
from callops.core.timekeeping import Timekeeper, keep_time
from callops.site import demo, start
from callops.site.stage import Stage


class Command(BaseCommand):
    """Serves until SIGTERM or SIGINT, then drains."""

    help = "Serve the dashboard, the webhooks and the engine in one process."
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The same options `manage.py` looked at before the settings were read."""
        start.add_serve_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Bring the database up to date, then serve; a failure of any part is exit status 1."""
        _bring_up_to_date()
        self.sign_in = demo.furnish() if options["demo"] else None
        self.address = f"http://{_bracketed(options['host'])}:{options['port']}"
        from callops.core.server import Server  # installs Twisted's reactor
        from callops.site.asgi import application

        services = self._services(with_engine=not options["no_engine"], with_stage=options["demo"])
        keep_loaded()
        server = Server(application, host=options["host"], port=options["port"], services=services)
        if not server.serve(ready=self._say_ready):
            raise CommandError("The server ended because a part of it failed; the log says which.")

    def _services(self, *, with_engine: bool, with_stage: bool) -> list[Service]:
        from callops.dashboard.hub import hub
        from callops.engine.engine import Engine

        services: list[Service] = [
            Timekeeper(),
            hub,
        ]  # stopped in reverse: the engine first, while the others still answer
        if with_stage:
            services.append(Stage(stage_url=config().twilio_base_url, app_url=config().public_url))
        if with_engine:
            services.append(Engine())
        return services

    def _say_ready(self) -> None:
        self.stdout.write(f"Serving {self.address}")
        if self.sign_in:
            self.stdout.write(f"Sign in as {self.sign_in[0]} with the password {self.sign_in[1]}")
            self.stdout.write(f"Other commands find its calls with DATABASE_URL={os.environ['DATABASE_URL']}")
        self.stdout.flush()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _bring_up_to_date() -> None:
    """SQLite is migrated in passing; PostgreSQL is only looked at, since other processes may be using it."""
    if config().is_sqlite:
        call_command("migrate", verbosity=0, interactive=False)
    elif missing := unapplied_migrations():
        names = ", ".join(missing)
        raise CommandError(f"The database lacks migrations ({names}). Run `python manage.py migrate` first.")
    keep_time()
