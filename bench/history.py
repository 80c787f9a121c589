"""What the server takes for a page when there is a lot of past: a million calls, two million turns, on PostgreSQL.

`python -m bench.history` measures on the server that its environment names and prints the figures as JSON; `measure`
starts the server and that process.
"""

from __future__ import annotations

import json
import os
import random
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import astuple
from datetime import timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.child import child
from bench.street import Street
from bench.table import Figure, percentile

CALLS, LIVE, TURNS, EVENTS = 1_000_000, 500, 2_000_000, 2_000
TURNS_A_CALL = 20
WORDS = 20_000
ASKED = 20
GOAL_MS = 100
TAKEN = 100_000
FILLING_MAY_TAKE_S = 1200.0
RARE, SOME, COMMON = "quokka", "refund", "w1"
"""Words of one turn in a hundred thousand, of one in a hundred, and of nearly every call."""
OLD, OLD_TURNS = "bygone", 3_000
"""A word of the oldest turns and of no others."""


async def measure(application: Any, street: Street, contracts: Path) -> list[Figure]:
    """The figures of one run on a server of its own."""
    from tests.servers import a_postgres

    with a_postgres() as postgres:
        async with child("-m", "bench.history", env={"CALLOPS_BENCH_DATABASE": postgres.url}) as process:
            found = json.loads(await process.hear(FILLING_MAY_TAKE_S))
    return [Figure(*each) for each in found]


def main() -> None:
    """The figures, on standard output."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User
    from django.test import Client

    from callops.core.loaded import keep_loaded

    newest = _fill()
    keep_loaded()  # as every server does
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(User.objects.create_superuser("bench"))
    figures = [_timed(client, what, paths) for what, paths in _pages(newest)]
    print(json.dumps([astuple(figure) for figure in [*figures, _taken()]]), flush=True)


def _pages(newest: str) -> list[tuple[str, Callable[[int], str]]]:
    """What is asked for, each with the address for the n-th time: never the same twice where that matters."""
    from callops.calls.models import Call

    middle = Call.objects.order_by("pk").values_list("pk", flat=True)[CALLS // 2]
    return [
        (f"board with {LIVE} live calls", lambda n: "/"),
        (f"history of {CALLS:,} calls, newest", lambda n: "/calls/"),
        ("the same, from the middle on", lambda n: f"/calls/?before={middle}"),
        ("the same, of one failure", lambda n: "/calls/?stage=sip_rejected"),
        ("the same, of one rare mechanism", lambda n: "/calls/?q=mechanism:refer+wait>5s"),
        ("number search, one caller", lambda n: f"/calls/?q=%2B1415{n:07}"),
        ("number search, a part that many have", lambda n: f"/calls/?q=555{n % 10}"),
        ("number search, a part that nobody has", lambda n: f"/calls/?q=98765{n:03}"),
        ("any id", lambda n: f"/calls/?q=rtc_history_{n * 999}"),
        (f"transcript search over {TURNS:,} turns, a rare word", lambda n: f"/calls/?q={RARE}"),
        ("transcript search, a word of one turn in a hundred", lambda n: f"/calls/?q={SOME}"),
        ("transcript search, a word of every call", lambda n: f"/calls/?q={COMMON}"),
        (f"transcript search, a word of {OLD_TURNS:,} turns, all of them old", lambda n: f"/calls/?q={OLD}"),
        ("transcript search, a phrase", lambda n: f'/calls/?q="{SOME} {RARE}"'),
        ("transcript search, nobody said it", lambda n: f"/calls/?q=never{n}"),
        (f"timeline of {EVENTS:,} events", lambda n: f"/calls/{newest}/timeline/"),
        ("the call's page", lambda n: f"/calls/{newest}/"),
    ]


def _taken() -> Figure:
    """The memory that a file of many calls takes at most while it is written."""
    from callops.calls.models import Call
    from callops.finding import taking

    tracemalloc.start()
    count, before, began = 0, None, perf_counter()
    while count < TAKEN:
        rows = taking.portion(Call.objects.all(), before)
        count, before = count + taking.as_csv(rows).count("\r\n"), rows[-1]["id"]
    took = perf_counter() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Figure(f"memory of a CSV file of {count:,} calls, MB", f"{peak / 1e6:.1f}", None, f"in {took:.0f} s")


def _timed(client: Any, what: str, path: Callable[[int], str]) -> Figure:
    took = []
    for number in range(ASKED + 2):
        began = perf_counter()
        answer = client.get(path(number))
        took.append((perf_counter() - began) * 1000)
        assert answer.status_code == 200, (what, answer.status_code)
    p50, p95 = (percentile(took[2:], share) for share in (0.5, 0.95))
    reached = "yes" if p95 < GOAL_MS else "no"
    return Figure(f"{what}, p95", f"{p95:.1f} ms", None, f"p50 {p50:.1f} ms", f"below {GOAL_MS} ms", reached)


def _fill() -> str:
    """All rows are there and counted by the planner; the id of a live call with `EVENTS` facts."""
    from django.db import connection

    from callops.calls.models import Call, Event, Line
    from callops.core import clock
    from callops.core.ids import new_id
    from callops.sideband.models import Turn
    from callops.transfers.models import TransferAttempt

    chance, now = random.Random(11), clock.now()
    line = Line.objects.create(number="+14155550100", name="Bench")
    ids = [new_id(now - timedelta(seconds=20 * (CALLS - number))) for number in range(CALLS)]
    began = [now - timedelta(seconds=20 * (CALLS - number)) for number in range(CALLS)]
    indexes = _without_indexes(connection, "call_from_number_part", "call_to_number_part", "turn_full_text")
    _copy(connection, Call, (_call(ids[n], n, began[n], line.pk) for n in range(CALLS)))
    talked = ids[:: CALLS * TURNS_A_CALL // TURNS]
    said = _sentences(chance)
    _copy(connection, Turn, (_turn(call, place, said, began[0]) for call in talked for place in range(TURNS_A_CALL)))
    _copy(connection, TransferAttempt, (_attempt(ids[n], n, began[n]) for n in range(0, CALLS, 20)))
    newest = ids[-1]
    _copy(connection, Event, (_event(newest, seq, now) for seq in range(1, EVENTS + 1)))
    Call.objects.filter(pk=newest).update(last_seq=EVENTS)
    with connection.cursor() as cursor:
        for statement in indexes:
            cursor.execute(statement)
        cursor.execute("ANALYZE")
    return newest


def _call(pk: str, number: int, began: Any, line: int) -> dict[str, Any]:
    is_live = number >= CALLS - LIVE
    failed = {"failure_stage": "sip_rejected"} if number % 50 == 0 and not is_live else {}
    return {
        "id": pk, "line_id": line, "from_number": f"+1415{number % 300_000:07}", "to_number": "+14155550100",
        "carrier_sid": f"CAH{number:031x}", "ai_call_id": f"rtc_history_{number}", "token": f"history{number}",
        "state": "live" if is_live else "ended", "ai_session": "open" if is_live else "closed", "started_at": began,
        "answered_at": began, "ended_at": None if is_live else began + timedelta(seconds=120), "ended_by": "caller",
        "correlation_method": "signed_header", "correlation_confidence": "exact", **failed,
    }  # fmt: skip


def _turn(call: str, place: int, said: Iterator[str], at: Any) -> dict[str, Any]:
    told = {"call_id": call, "item_id": f"item_{place}", "position": place, "speaker": "caller", "text": next(said)}
    return {**told, "final": True, "started_at": at, "rev": place}


def _attempt(call: str, number: int, at: Any) -> dict[str, Any]:
    way = "refer" if number % 2_000 == 0 else "redirect"
    told = {"id": call, "call_id": call, "token": f"moved{number}", "target_uri": "tel:+14155550110"}
    told |= {"target_label": "Front desk", "policy": "redirect_only", "requested_by": "bench", "requested_at": at}
    came = {"state": "settled", "settled_at": at, "mechanism": way, "outcome": "connected"}
    return {**told, **came, "human_connected_at": at + timedelta(seconds=9)}


def _event(call: str, seq: int, now: Any) -> dict[str, Any]:
    body = {"text": f"line {seq}", "speaker": "caller", "item_id": f"item_{seq}"}
    return {"call_id": call, "seq": seq, "at": now, "lane": "caller", "kind": "openai.turn", "body": body}


def _sentences(chance: random.Random) -> Iterator[str]:
    """Twelve words each; the n-th word of the language is said about 1/n as often as the first."""
    weights = [1 / (place + 1) for place in range(WORDS)]
    language = [f"w{place + 1}" for place in range(WORDS)]
    number = 0
    while True:
        words = iter(chance.choices(language, weights, k=12 * 10_000))
        for _ in range(10_000):
            number += 1
            rare = [SOME] if number % 100 == 0 else []
            rare += [RARE] if number % 100_000 == 0 else []
            rare += [OLD] if number <= OLD_TURNS else []
            yield " ".join([*islice(words, 12), *rare])


def _copy(connection: Any, model: Any, rows: Iterator[dict[str, Any]]) -> None:
    """The rows are in the table, with the model's defaults where a row says nothing."""
    fields = [field for field in model._meta.concrete_fields if not _counts(field)]
    names = ", ".join(f'"{field.column}"' for field in fields)
    usual = {field.column: _stored(field, field.get_default() if field.has_default() else None) for field in fields}
    with connection.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy:
        for row in rows:
            told = {**usual, **row}
            copy.write_row([_written(told[field.column]) for field in fields])


def _counts(field: Any) -> bool:
    return field.get_internal_type() in ("AutoField", "BigAutoField")


def _stored(field: Any, value: Any) -> Any:
    return "" if value is None and not field.null and field.get_internal_type() in ("CharField", "TextField") else value


def _written(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _without_indexes(connection: Any, *names: str) -> list[str]:
    """These indexes are dropped; what makes them again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE indexname = ANY(%s)", [list(names)])
        found: list[tuple[str, str]] = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    main()
