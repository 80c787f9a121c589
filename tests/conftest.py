"""What every test may use, and the one line that says what was skipped for want of a program."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from callops.core.config import Config
from callops.core.rates import rates
from tests.fuzzing import EXAMPLES
from tests.servers import postgres, postgres_url, redis_url

__all__ = ["configure", "contracts", "postgres", "postgres_url", "redis_url"]

hypothesis_settings.register_profile(
    "callops", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=EXAMPLES
)
hypothesis_settings.load_profile("callops")
"""How long an example took says how busy the machine was, and nothing about the example."""

CONTRACTS = Path(__file__).parent / "contracts"


@pytest.fixture
def contracts() -> Path:
    """The folder of the providers' example payloads."""
    return CONTRACTS


@pytest.fixture
def configure(settings: Any) -> Callable[..., Config]:
    """`configure(public_url="https://…")`: these fields of `config()` for the rest of the test."""

    def change(**fields: Any) -> Config:
        settings.CALLOPS = dataclasses.replace(settings.CALLOPS, **fields)
        changed: Config = settings.CALLOPS
        return changed

    return change


@pytest.fixture(autouse=True)
def _fresh_rates() -> None:
    """Nobody asked for anything before the test."""
    rates.forget()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each world is played by one worker."""
    from tests.spreading import scheduler  # the workers' library is needed only where there are workers

    return scheduler(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what would have let the skipped tests run."""
    skipped = terminalreporter.stats.get("skipped", [])
    if advice := sorted({str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped}):
        terminalreporter.write_line(f"Skipped for want of programs; to run everything: {'; '.join(advice)}.")


def pytest_unconfigure() -> None:
    """Leave no test database behind."""
    name = django_settings.DATABASES["default"].get("TEST", {}).get("NAME")
    if name:
        path = Path(name)
        for leftover in path.parent.glob(f"{path.name}*"):
            leftover.unlink(missing_ok=True)
