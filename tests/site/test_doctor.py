from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from callops.core import beats, clock
from callops.core.clock import now
from callops.core.config import Config, config
from callops.site import doctor
from tests.rows import make_call, make_session
from tests.servers import free_port


class Quiet(http.server.BaseHTTPRequestHandler):
    """Somebody who answers, as a provider's host does to a stranger."""

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def somebody() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def verdict(finding: doctor.Finding) -> tuple[str, bool | None]:
    return finding.name, finding.ok


def test_each_missing_credential_is_red_with_what_it_should_be(configure: Callable[..., Config]) -> None:
    bare = configure(openai_project_id="", twilio_auth_tokens=())

    red = [finding for finding in doctor.secrets(bare) if finding.ok is False]

    assert [finding.name for finding in red] == ["OPENAI_PROJECT_ID", "TWILIO_AUTH_TOKEN"]
    assert "proj_" in red[0].mend


def test_a_short_secret_key_is_red(configure: Callable[..., Config]) -> None:
    assert verdict(list(doctor.secrets(configure(secret_key="short")))[-1]) == ("SECRET_KEY", False)
    assert verdict(list(doctor.secrets(configure(secret_key="x" * 50)))[-1]) == ("SECRET_KEY", True)


@pytest.mark.parametrize(
    ("public_url", "ok"),
    [
        ("https://calls.example.com", True),
        ("http://calls.example.com", False),
        ("https://127.0.0.1:8000", False),
        ("https://localhost", False),
        ("https://[::1]", False),
    ],
)
def test_the_public_address_must_be_reachable_over_https(
    configure: Callable[..., Config], public_url: str, ok: bool
) -> None:
    finding = doctor.public_address(configure(public_url=public_url))

    assert finding.ok is ok
    assert ok or "PUBLIC_URL" in finding.mend


def test_simulated_providers_need_no_public_address(configure: Callable[..., Config]) -> None:
    assert doctor.public_address(configure(twilio_base_url="http://127.0.0.1:8001")).ok is None


def test_a_provider_that_answers_anything_is_reachable_and_its_clock_is_compared(somebody: str) -> None:
    found = list(doctor.provider("Twilio", somebody, "TWILIO_BASE_URL"))

    assert [verdict(finding) for finding in found] == [("Twilio", True), ("clock", True)]


def test_a_provider_that_cannot_be_reached_is_red() -> None:
    (finding,) = doctor.provider("OpenAI", f"http://127.0.0.1:{free_port()}/v1", "OPENAI_BASE_URL")

    assert finding.ok is False
    assert "OPENAI_BASE_URL" in finding.mend


def test_a_clock_that_is_a_minute_off_is_red() -> None:
    assert doctor.clock("Twilio", now() - timedelta(seconds=61)).ok is False
    assert doctor.clock("Twilio", now() + timedelta(seconds=5)).ok is True


@pytest.mark.django_db
def test_the_database_is_looked_at_whole() -> None:
    names = [verdict(finding) for finding in doctor.database(config())]

    assert names == [
        ("database", True),
        ("migrations", True),
        ("disk", True),
        ("directory", None),
        ("people", None),
        ("workers", None),
        ("engines", None),
        ("Twilio's requests", None),
        ("OpenAI's webhooks", None),
    ]


LOAD = {"calls": 3, "capacity": 250}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("loads", "joined", "ok", "says"),
    [
        ({}, True, None, "none looks around"),
        ({"one": LOAD}, False, True, "1 look around, 3 calls, room for 250"),
        ({"one": LOAD, "two": LOAD}, True, True, "2 look around, 6 calls, room for 500"),
        ({"one": LOAD, "two": LOAD}, False, False, "nothing carries notifications"),
        ({"one": {"calls": 250, "capacity": 250}}, False, False, "250 calls, room for 250"),
    ],
)
def test_engines_are_told_with_their_load_and_are_red_without_redis_or_room(
    loads: dict, joined: bool, ok: bool | None, says: str
) -> None:
    finding = doctor.engines(loads, joined=joined)

    assert finding.ok is ok
    assert says in finding.text


@pytest.mark.django_db
def test_calls_that_wait_while_no_engine_looks_around_are_red() -> None:
    make_session(make_call(), accepted_at=now())

    assert doctor.engines({}, joined=True).ok is False


@pytest.mark.django_db
def test_a_lease_counts_by_the_databases_time_however_wrong_this_machines_clock_is() -> None:
    ours = now()
    make_session(make_call(), accepted_at=ours, lease_owner="one", lease_until=ours + timedelta(minutes=1))

    with clock.standing_at(ours + timedelta(hours=5)):
        assert doctor.workers().text == "1 hold 1 live calls"


@pytest.mark.django_db
def test_a_provider_that_never_reached_us_is_noted_with_the_address_to_enter(
    configure: Callable[..., Config],
) -> None:
    public = configure(public_url="https://calls.example.com")
    beats.beat(beats.OPENAI_WEBHOOK, now() + timedelta(seconds=5))

    twilio, openai = doctor.signs_of_life(public)

    assert (twilio.ok, openai.ok) == (None, True)
    assert "https://calls.example.com/twiml/inbound" in twilio.mend


def test_a_public_address_without_a_trusted_proxy_is_noted(configure: Callable[..., Config]) -> None:
    assert doctor.proxies(configure(public_url="https://calls.example.com")).mend
    assert not doctor.proxies(configure(public_url="http://127.0.0.1:8000")).mend
    assert doctor.proxies(configure(trusted_proxies=("127.0.0.1/32",))).ok


def test_a_nearly_full_disk_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.room(tmp_path).ok

    monkeypatch.setattr(doctor, "FREE_GB", 1e12)

    assert doctor.room(tmp_path).ok is False


@pytest.mark.django_db
def test_doctor_is_content_where_everything_is_there(
    configure: Callable[..., Config], somebody: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(twilio_base_url=somebody, openai_base_url=f"{somebody}/v1")

    call_command("doctor")

    assert capsys.readouterr().out.splitlines()[-1] == "All is well."


@pytest.mark.django_db
def test_doctor_ends_with_status_1_and_says_how_to_mend(
    configure: Callable[..., Config], somebody: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(twilio_base_url=somebody, openai_base_url=f"{somebody}/v1", openai_api_key="")

    with pytest.raises(SystemExit) as ended:
        call_command("doctor")

    assert ended.value.code == 1
    out = capsys.readouterr().out
    assert "OPENAI_API_KEY: is not set. To mend it, set it to an OpenAI API key" in out
    assert "1 to mend." in out
