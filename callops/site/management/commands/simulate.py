"""`simulate SCENARIO` or `simulate --from-bundle FILE`: one call against a running server and its stage."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from django.core.management.base import BaseCommand, CommandError

from callops.core.config import config
from callops.reports.checking import Unreadable, fixture_of
from callops.site import simulation

FROM_BUNDLE = "default"


class Command(BaseCommand):
    """Plays the scenario, or a call that was recorded, and shows its steps; ends when the call is over."""

    help = "Play one named scenario of the simulator, or the call of an evidence bundle, against a running server."
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What is played, and where the stage is."""
        parser.add_argument("scenario", nargs="?", help="a name such as default; an unknown one lists them all")
        parser.add_argument("--from-bundle", type=Path, metavar="FILE", help="play the call of an evidence bundle")
        parser.add_argument("--to", default="", help="with --from-bundle: the number it dials (default: +15550100)")
        parser.add_argument("--stage", default="", help="the stage's address (default: the one of the settings)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the call and print each of its states once."""
        name, file = options["scenario"], options["from_bundle"]
        if (name is None) == (file is None):
            raise CommandError("Name one scenario, or one bundle with --from-bundle.")
        told = self._told(file, options["to"]) if file else {}
        stage = options["stage"] or simulation.stage_url(config())
        try:
            with httpx.Client(base_url=stage, timeout=10.0, trust_env=False) as http:
                call = simulation.play(http, name or FROM_BUNDLE, **told)
                self.stdout.write(f"{call}: {name or file.name} begins")
                for state in simulation.follow(http, call):
                    self.stdout.write(f"{call}: {state}")
                    self.stdout.flush()
        except simulation.StageMissing as missing:
            raise CommandError(f"No stage answers at {stage}. `make run` starts a server with one.") from missing
        except simulation.StageRefused as refused:
            raise CommandError(str(refused)) from refused

    def _told(self, file: Path, to: str) -> dict[str, Any]:
        """Knobs and lines of the bundle's call; what a supervisor did then is said, for somebody to do it again."""
        try:
            fixture = fixture_of(file)
        except Unreadable as error:
            raise CommandError(str(error)) from error
        if fixture.get("wish"):
            self.stdout.write(wish_words(fixture["wish"], fixture.get("then") or {}))
        dialled = {"to_number": to} if to else {}
        return {**fixture["knobs"], **dialled, "lines": fixture["lines"]}


def wish_words(wish: Mapping[str, Any], then: Mapping[str, Any]) -> str:
    """What a supervisor did on the recorded call, and what came of it."""
    when = f"{wish['after_live_s']} s after it was live" if wish.get("after_live_s") is not None else "then"
    return (
        f"{when[:1].upper()}{when[1:]} a supervisor moved the caller to {wish['destination']} ({wish['policy']}). "
        f"Press Transfer at that time; it came to {then.get('mechanism')}, {then.get('outcome')}."
    )
