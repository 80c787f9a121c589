"""`python -m bench [NAME …]`: measure, then print one table of ratios."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from time import perf_counter

from bench.problems import CannotMeasure
from bench.street import Street
from bench.table import Figure, printed

NAMES = (
    "twiml",
    "accept",
    "transfer",
    "at_once",
    "pipeline",
    "growth",
    "deliveries",
    "stored",
    "memory",
    "history",
    "loaded",
    "fleet",
)
CONTRACTS = Path(__file__).resolve().parent.parent / "tests" / "contracts"


def main() -> None:
    """The table of the chosen figures is on standard output; progress is on standard error."""
    names = _chosen()
    if not CONTRACTS.is_dir():
        sys.exit(f"The example payloads are missing: {CONTRACTS} should be a folder. Restore it from the repository.")
    started = perf_counter()
    with tempfile.TemporaryDirectory(prefix="callops-bench-") as folder:
        street = Street()
        _set_up_django(folder, street)
        try:
            figures = asyncio.run(_measure(names, street))
        except CannotMeasure as problem:
            sys.exit(f"No table: {problem}")
    print(printed(figures))
    print(f"\nMeasured in {perf_counter() - started:.0f} s on {os.cpu_count()} cores. docs/performance.md explains.")


def _chosen() -> Sequence[str]:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"figures to measure: {', '.join(NAMES)} (default: all)"
    )
    names: list[str] = parser.parse_args().names
    if wrong := [name for name in names if name not in NAMES]:
        parser.error(f"There is no figure called {', '.join(wrong)}; choose from {', '.join(NAMES)}.")
    return names or NAMES


def _set_up_django(folder: str, street: Street) -> None:
    """Django is ready, on an empty SQLite database of this run, with the street as its providers."""
    os.environ["CALLOPS_BENCH_DATABASE"] = (Path(folder) / "bench.sqlite3").as_posix()
    os.environ["CALLOPS_BENCH_STREET"] = street.address
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


async def _measure(names: Sequence[str], street: Street) -> list[Figure]:
    from callops.site.asgi import application

    figures: list[Figure] = []
    async with street:
        for name in names:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            measure = import_module(f"bench.{name}").measure
            figures += await measure(application, street, CONTRACTS)
    return figures


if __name__ == "__main__":
    main()
