"""The load of `bench.loaded` on PostgreSQL and Redis: a web process, and an engine beside it.

`python -m bench.fleet` measures on the servers that its environment names and prints the figures as JSON; `measure`
starts the servers and that process.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import astuple
from pathlib import Path
from typing import Any

from bench.child import child
from bench.street import Street
from bench.table import Figure


async def measure(application: Any, street: Street, contracts: Path) -> list[Figure]:
    """The figures of one run on servers of its own."""
    from tests.servers import a_postgres, a_redis

    with a_postgres() as postgres, a_redis() as redis:
        env = {"CALLOPS_BENCH_DATABASE": postgres.url, "CALLOPS_BENCH_REDIS": redis.url}
        async with child("-m", "bench.fleet", str(contracts), env=env) as process:
            found = json.loads(await process.hear())
    return [Figure(f"PostgreSQL + Redis, {what}", *rest) for what, *rest in found]


def main() -> None:
    """The figures, on standard output."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from bench import loaded

    street = Street()
    figures = asyncio.run(loaded.measure(None, street, Path(sys.argv[1])))
    print(json.dumps([astuple(figure) for figure in figures]), flush=True)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    main()
