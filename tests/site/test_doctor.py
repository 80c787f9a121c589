from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from callops.core.clock import now
from callops.core.config import Config, config
from callops.site import doctor
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

    assert names == [("database", True), ("migrations", True), ("workers", None)]


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
