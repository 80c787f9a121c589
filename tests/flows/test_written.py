"""The last of a world's flows: nothing that they wrote holds a secret."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from tests.flows.proofs import is_settled
from tests.flows.world import PERSON, SECRETS, World

NO_SECRETS = ("TWILIO_ACCOUNT_SID", "OPENAI_PROJECT_ID")
"""Names of accounts, which reports and answers carry."""
BUNDLES = 20


def secrets(world: World) -> dict[str, bytes]:
    """Everything nobody may find anywhere: keys, tokens, what signs, and the supervisor's password."""
    found = {name: value for name, value in SECRETS.items() if name not in NO_SECRETS}
    token = world.http.headers["Authorization"].removeprefix("Bearer ")
    found |= {"the API token": token, "the password": PERSON[2]}
    found["what the webhook secret means"] = SECRETS["OPENAI_WEBHOOK_SECRET"].removeprefix("whsec_")
    return {name: value.encode() for name, value in found.items()}


def written(world: World) -> Iterator[tuple[str, bytes]]:
    """The log of all processes, every row of the database, and of the newest calls page, timeline, API and bundle."""
    world.log.flush()
    yield "log", (world.folder / "log.txt").read_bytes()
    yield "database", world.manage("dumpdata").encode()
    for call in world.http.get("/api/calls", params={"limit": BUNDLES}).json()["items"]:
        for path in (f"/calls/{call['id']}/", f"/calls/{call['id']}/timeline/", f"/calls/{call['id']}/report/"):
            yield path, world.browser.get(path).content
        yield "api", world.http.get(f"/api/calls/{call['id']}/events", params={"limit": 500}).content
        bundle = world.http.get(f"/api/calls/{call['id']}/evidence.zip", params={"numbers": "1"}).content
        with zipfile.ZipFile(io.BytesIO(bundle)) as files:
            yield from ((f"{call['id']}/{name}", files.read(name)) for name in files.namelist())


def test_no_secret_stands_in_anything_that_the_flows_wrote(world: World) -> None:
    call = world.live("happy_silent_refer", human_answers_after_s=1)
    world.transfer_until(world.transfer(call["id"])["id"], is_settled, "settled")
    wanted, found, seen = secrets(world), [], set()

    for where, what in written(world):
        seen |= {where} if call["carrier"]["call_sid"].encode() in what else set()
        found += [f"{name} in {where}" for name, value in wanted.items() if value in what]

    assert found == []
    assert {"database", "api", f"/calls/{call['id']}/", f"{call['id']}/timeline.jsonl"} <= seen
