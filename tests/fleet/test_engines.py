"""Several engines on PostgreSQL: one leaves, one dies, one is paused past its lease; each call has one owner."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.fleet.fleet import LONG, Fleet, kill
from tests.flows.proofs import is_settled
from tests.flows.world import eventually
from tests.servers import Postgres, a_postgres, fresh_database

pytestmark = pytest.mark.timeout(300)

CHAT = {"conversation": "billing_short", "speed": 1.0, "accept_latency_s": 0.1}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, own_postgres: Postgres, redis_url: str) -> Iterator[Fleet]:
    made = Fleet(tmp_path_factory.mktemp("fleet"), fresh_database(own_postgres.url), redis_url)
    try:
        made.start()
        yield made
    finally:
        made.close()
        print((made.folder / "log.txt").read_text(errors="replace")[-4000:])


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Postgres]:
    """One that may be taken away from the fleet without taking it from anybody else."""
    with a_postgres() as server:
        yield server


@pytest.fixture(autouse=True)
def alone(fleet: Fleet) -> Iterator[None]:
    """An engine that a failed test left behind takes no calls of the next one."""
    yield
    fleet.kill_engines()


def contiguous(kept: list[str], said: list[str]) -> bool:
    """Whether no event is missing or doubled between the first kept one and the last.

    OpenAI cuts the connection when the caller hangs up (contract OpenAI 4.3): what it had queued then never arrives.
    """
    return kept == said[said.index(kept[0]) :][: len(kept)]


def test_an_engine_that_leaves_hands_its_calls_over_and_no_event_is_lost_or_doubled(fleet: Fleet) -> None:
    first = fleet.engine()
    call = fleet.live("default", **CHAT)
    sid = call["carrier"]["call_sid"]
    old = eventually(lambda: fleet.owner(call["id"]), "somebody holds it")
    fleet.engine()
    eventually(lambda: len(fleet.said(sid)) > 20, "they talk")

    kill(first, signal.SIGTERM)
    eventually(lambda: fleet.owner(call["id"]) not in ("", old), "the other one holds it")
    before = fleet.said(sid)
    eventually(lambda: len(fleet.said(sid)) > len(before) + 20, "they talk on", 40)
    assert not fleet.call(call["id"])["incomplete"]
    fleet.hang_up_caller(sid)
    ended = fleet.until(call["id"], lambda seen: seen["state"] == "ended", "ended", 40)

    kept = fleet.kept(call["id"])
    assert first.returncode == 0
    assert contiguous(kept, fleet.said(sid))
    assert before[-1] in kept
    assert "openai.sideband_dropped" not in fleet.kinds(call["id"])[:-6]
    assert not [turn for turn in ended["transcript"][:-2] if not turn["final"]]


def test_a_killed_engines_call_is_attached_elsewhere_and_its_transfer_finished(fleet: Fleet) -> None:
    first = fleet.engine()
    call = fleet.live("happy_silent_refer", **{**LONG, "human_answers_after_s": 0.5})
    old = eventually(lambda: fleet.owner(call["id"]), "somebody holds it")
    fleet.engine()
    asked = fleet.transfer(call["id"])
    eventually(lambda: "us.refer_asked" in fleet.kinds(call["id"]), "the REFER was asked")

    kill(first)
    transfer = fleet.transfer_until(asked["id"], is_settled, "settled", 40)

    assert (transfer["mechanism"], transfer["outcome"]) == ("redirect", "connected")
    assert fleet.kinds(call["id"]).count("us.refer_asked") == 1
    other = fleet.live("default", **LONG)
    assert fleet.owner(other["id"]) not in ("", old)


def test_an_engine_that_is_paused_past_its_lease_notices_and_writes_nothing_more(fleet: Fleet) -> None:
    paused = fleet.engine()
    call = fleet.live("default", **{**CHAT, "speed": 0.7})
    sid = call["carrier"]["call_sid"]
    old = eventually(lambda: fleet.owner(call["id"]), "somebody holds it")
    fleet.engine()
    eventually(lambda: len(fleet.said(sid)) > 10, "they talk")

    paused.send_signal(signal.SIGSTOP)
    eventually(lambda: fleet.owner(call["id"]) not in ("", old), "the other one holds it", 30)
    new = fleet.owner(call["id"])
    paused.send_signal(signal.SIGCONT)
    eventually(lambda: old in fleet.engines(), "the paused one looks around again")
    before = len(fleet.said(sid))
    eventually(lambda: len(fleet.said(sid)) > before + 10, "they talk on", 40)

    kept = fleet.kept(call["id"])
    assert fleet.owner(call["id"]) == new
    assert len(kept) == len(set(kept))
    assert fleet.call(call["id"])["incomplete"]
    fleet.hang_up_caller(sid)


def test_calls_outlive_a_restart_of_the_database_and_stay_with_the_engine_that_reads_them(
    fleet: Fleet, own_postgres: Postgres
) -> None:
    engines = [fleet.engine(), fleet.engine()]
    call = fleet.live("default", **CHAT)
    sid = call["carrier"]["call_sid"]
    owner = eventually(lambda: fleet.owner(call["id"]), "somebody holds it")
    eventually(lambda: len(fleet.said(sid)) > 10, "they talk")

    own_postgres.stop()
    alone = len(fleet.said(sid))
    eventually(lambda: len(fleet.said(sid)) > alone + 20, "they talk on without a database", 40)
    own_postgres.start()
    eventually(lambda: fleet.owner(call["id"]), "its lease runs again")
    before = fleet.said(sid)
    eventually(lambda: len(fleet.said(sid)) > len(before) + 10, "they talk on", 40)

    assert fleet.owner(call["id"]) == owner
    assert [engine.poll() for engine in engines] == [None, None]
    assert not fleet.call(call["id"])["incomplete"]
    fleet.hang_up_caller(sid)
    fleet.until(call["id"], lambda seen: seen["state"] == "ended", "ended", 40)
    kept = fleet.kept(call["id"])
    assert contiguous(kept, fleet.said(sid))
    assert before[-1] in kept
