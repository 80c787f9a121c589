"""A small world for the flow tests: the app and the stage as processes of their own, joined only by settings."""

from __future__ import annotations

import html
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.servers import free_port, stop

ROOT = Path(__file__).parents[2]
DIRECTORY = Path(__file__).parent / "directory.toml"
START_MAY_TAKE_S = 40.0
LOOK_AGAIN_S = 0.05
LOOK_AT_LEAST_EVERY_S = 0.5
PATIENCE = 3.0
"""How much longer a busy machine may take than a quiet one before what is waited for counts as not coming."""
PERSON = ("supervisor1", "supervisor1@example.com", "birch lantern 41")
T = TypeVar("T")

SECRETS = {
    "OPENAI_API_KEY": "sk-flow-made-up",
    "OPENAI_PROJECT_ID": "proj_FlowMadeUp0000001",
    "OPENAI_WEBHOOK_SECRET": "whsec_Zmxvdy10ZXN0cy1tYWRlLXVwLXNlY3JldA==",
    "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
    "TWILIO_AUTH_TOKEN": "flow0123456789abcdefflow01234567",
    "SECRET_KEY": "flow-tests-made-up-key-0123456789-abcdefghijkl",
}

SICK_LINE, RECOVERING_LINE = "+15550106", "+15550107"
"""Lines whose breakers decide by themselves. On the others many flows play silent REFERs, and REFER stays first."""
KEEP_REFER_FIRST = f"""
from callops.calls.models import Line
from callops.core.clock import now
from callops.transfers import switching
from callops.transfers.models import Force

for line in Line.objects.exclude(number__in=["{SICK_LINE}", "{RECOVERING_LINE}"]):
    switching.force(line=line, force=Force.CLOSED, by="flows", why="silent REFERs are played on purpose", now=now())
"""


FURNISH = f"""
from django.contrib.auth.models import User
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("load_directory", {str(DIRECTORY)!r})
{KEEP_REFER_FIRST}
User.objects.create_superuser(*{PERSON!r})
call_command("create_api_token", {PERSON[0]!r})
"""
"""Tables, directory, a supervisor and a token by one process; the token is the last word on its standard output."""


def eventually(look: Callable[[], T], what: str, within_s: float = 20.0) -> T:
    """What `look` gives as soon as it is true; `AssertionError` naming `what` when that is not so in time.

    `within_s`: what a quiet machine needs at most. That something is quick enough is never proven by it.
    """
    end = time.monotonic() + within_s * PATIENCE
    pause_s = LOOK_AGAIN_S
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < end, f"not within {within_s * PATIENCE:g} s: {what}"
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.3, LOOK_AT_LEAST_EVERY_S)


class World:
    """One app (server with engine), one stage, one API token."""

    def __init__(self, folder: Path, backend: str, *, database_url: str | None = None, redis_url: str = "") -> None:
        self.folder, self.backend = folder, backend
        self.app_port, self.stage_port = free_port(), free_port()
        self.app_url = f"http://127.0.0.1:{self.app_port}"
        self.stage_url = f"http://127.0.0.1:{self.stage_port}"
        self.env = {
            **{
                key: value for key, value in os.environ.items() if not key.startswith(("OPENAI_", "TWILIO_", "DJANGO_"))
            },
            **SECRETS,
            "DATABASE_URL": database_url or f"sqlite:///{folder / 'flow.sqlite3'}",
            "REDIS_URL": redis_url,
            "PUBLIC_URL": self.app_url,
            "OPENAI_BASE_URL": f"{self.stage_url}/v1",
            "TWILIO_BASE_URL": self.stage_url,
            "REFER_DEADLINE_S": "1.5",
            "WEBHOOK_DEADLINE_S": "3.0",
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        self.log = (folder / "log.txt").open("ab")
        self.app: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Both programs answer, the directory is loaded and a token is made."""
        self._run("-m", "callops.simulator", "--port", str(self.stage_port), "--app", self.app_url)
        token = self.manage("shell", "--no-imports", "-c", FURNISH).split()[-1]
        self.http = httpx.Client(base_url=self.app_url, headers={"Authorization": f"Bearer {token}"}, timeout=20)
        self.stage = httpx.Client(base_url=self.stage_url, timeout=20)
        self.start_app()
        eventually(lambda: _answers(f"{self.stage_url}/_stage/scenarios"), "the stage answers", START_MAY_TAKE_S)
        self.browser = self.signed_in()

    def start_app(self, *words: str) -> None:
        self.app = self._run("manage.py", "serve", "--port", str(self.app_port), *words)
        eventually(lambda: _answers(f"{self.app_url}/readyz"), "the app answers", START_MAY_TAKE_S)

    def stop_app(self, with_signal: int = signal.SIGTERM) -> int:
        """The app's exit status."""
        assert self.app is not None
        stop(self.app, with_signal)
        return self.app.returncode

    def close(self) -> None:
        for process in reversed(self.processes):
            stop(process)
        self.log.close()

    def manage(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ring(self, scenario: str, **knobs: Any) -> str:
        """A caller dials; the SID of the caller's leg."""
        answer = self.stage.post("/_stage/calls", json={"scenario": scenario, **knobs})
        assert answer.status_code < 300, answer.text
        return str(answer.json()["call_sid"])

    def hang_up_caller(self, sid: str) -> None:
        assert self.stage.post(f"/_stage/calls/{sid}/hangup").status_code < 300

    def call_of(self, sid: str) -> dict[str, Any] | None:
        for item in self.http.get("/api/calls", params={"q": sid}).json()["items"]:
            if item["carrier"]["call_sid"] == sid:
                return self.call(item["id"])
        return None

    def call(self, call_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/api/calls/{call_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def until(
        self, call_id: str, is_so: Callable[[dict[str, Any]], bool], what: str, within_s: float = 20
    ) -> dict[str, Any]:
        """The call as soon as it is so."""
        seen: dict[str, Any] = {}

        def look() -> bool:
            nonlocal seen
            seen = self.call(call_id)
            return is_so(seen)

        try:
            eventually(look, what, within_s)
        except AssertionError as error:
            kinds = [(event["kind"], event["body"]) for event in self.events(call_id)]
            raise AssertionError(f"{error}\n{seen}\n{kinds[-25:]}") from None
        return seen

    def live(self, scenario: str, **knobs: Any) -> dict[str, Any]:
        """A call that rang and is live."""
        sid = self.ring(scenario, **knobs)
        call = eventually(lambda: self.call_of(sid), f"the call {sid} is known")
        return self.until(call["id"], lambda seen: seen["state"] == "live", "the call is live")

    @contextmanager
    def calling(self, scenario: str, **knobs: Any) -> Iterator[dict[str, Any]]:
        """A live call whose caller hangs up when the story is told."""
        call = self.live(scenario, **knobs)
        try:
            yield call
        finally:
            self.hang_up_caller(call["carrier"]["call_sid"])

    def transfer(self, call_id: str, destination: str = "frontdesk", **body: str) -> dict[str, Any]:
        answer = self.http.post(f"/api/calls/{call_id}/transfers", json={"destination": destination, **body})
        assert answer.status_code == 202, answer.text
        asked: dict[str, Any] = answer.json()
        return asked

    def transfer_until(
        self, transfer_id: str, is_so: Callable[[dict[str, Any]], bool], what: str, within_s: float = 25
    ) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def look() -> bool:
            nonlocal seen
            seen = self.http.get(f"/api/transfers/{transfer_id}").json()
            return is_so(seen)

        try:
            eventually(look, what, within_s)
        except AssertionError as error:
            kinds = [(event["kind"], event["body"]) for event in self.events(seen["call_id"])]
            raise AssertionError(f"{error}\n{seen}\n{kinds[-25:]}") from None
        return seen

    def events(self, call_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            page = self.http.get(f"/api/calls/{call_id}/events", params={"after": after, "limit": 500}).json()
            found += page["items"]
            if page["next"] is None:
                return found
            after = page["next"]

    def kinds(self, call_id: str) -> list[str]:
        return [event["kind"] for event in self.events(call_id)]

    def legs(self, sid: str) -> list[dict[str, Any]]:
        """The legs the carrier made for this caller, oldest first."""
        listed = self.stage.get("/_stage/calls").json()["calls"]
        return [leg for leg in reversed(listed) if leg["parent_call_sid"] == sid]

    def notes(self, sid: str) -> list[str]:
        """What befell one leg, as the carrier wrote it down."""
        return [entry["event"] for entry in self.record(sid)["twilio"] if entry["kind"] == "leg"]

    def record(self, sid: str) -> dict[str, list[dict[str, Any]]]:
        """What the carrier wrote down of one leg, and OpenAI of the calls of that leg's caller."""
        answer = self.stage.get("/_stage/record", params={"call_sid": sid})
        assert answer.status_code == 200, answer.text
        found: dict[str, list[dict[str, Any]]] = answer.json()
        return found

    def signed_in(self) -> httpx.Client:
        """A browser of its own, without JavaScript, at which the supervisor has signed in."""
        browser = httpx.Client(base_url=self.app_url, timeout=20, follow_redirects=True)
        form = {"username": PERSON[0], "password": PERSON[2], **hidden(browser.get("/login/").text, "login")}
        assert browser.post("/login/", data=form).status_code == 200
        return browser

    def page(self, call_id: str) -> str:
        """What stands on the call's page."""
        return self._text(f"/calls/{call_id}/")

    def board(self) -> str:
        """What stands on the live board."""
        return self._text("/")

    def _text(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())

    def said(self, sid: str) -> list[str]:
        """The ids of the events OpenAI sent on this caller's session, in order."""
        told = [entry["event"] for entry in self.record(sid)["openai"] if entry["kind"] == "event"]
        return [event["event_id"] for event in told if "event_id" in event]

    def _run(self, *words: str, under: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        line = [*under, sys.executable, *words]
        process = subprocess.Popen(line, cwd=ROOT, env=self.env, stdout=self.log, stderr=self.log)
        self.processes.append(process)
        return process


def hidden(page: str, form: str) -> dict[str, str]:
    """The hidden fields of the form with this word in its opening tag."""
    inside = re.search(rf"<form [^>]*{form}.*?</form>", page, re.DOTALL)
    assert inside, f"no form {form}: {page[:400]}"
    fields = re.findall(r'<input type="hidden" name="(\w+)"(?: id="[\w-]+")? value="([^"]*)"', inside[0])
    return {name: html.unescape(value) for name, value in fields}


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
