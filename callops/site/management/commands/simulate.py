"""`simulate SCENARIO`: one named call against a running server and its stage."""

from __future__ import annotations

import argparse
from typing import Any

import httpx
from django.core.management.base import BaseCommand, CommandError

from callops.core.config import config
from callops.site import simulation


class Command(BaseCommand):
    """Plays the scenario and shows its steps; ends when the call is over."""

    help = "Play one named scenario of the simulator against a running server."
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The scenario's name, and where the stage is."""
        parser.add_argument("scenario", help="a name such as default; an unknown one lists them all")
        parser.add_argument("--stage", default="", help="the stage's address (default: the one of the settings)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the call and print each of its states once."""
        stage = options["stage"] or simulation.stage_url(config())
        try:
            with httpx.Client(base_url=stage, timeout=10.0, trust_env=False) as http:
                call = simulation.play(http, options["scenario"])
                self.stdout.write(f"{call}: {options['scenario']} begins")
                for state in simulation.follow(http, call):
                    self.stdout.write(f"{call}: {state}")
                    self.stdout.flush()
        except simulation.StageMissing as missing:
            raise CommandError(f"No stage answers at {stage}. `make run` starts a server with one.") from missing
        except simulation.StageRefused as refused:
            raise CommandError(str(refused)) from refused
