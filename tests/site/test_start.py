from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from callops.site import demo_defaults, environment, start

NAMES = {*environment.DEFAULTS, *environment.CREDENTIALS, *environment.SECRETS, environment.DEMO_MARK}


@pytest.fixture(autouse=True)
def _empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kept = {name: value for name, value in os.environ.items() if name not in NAMES}
    monkeypatch.setattr(os, "environ", kept)


def prepare(*words: str) -> list[str]:
    argv = ["manage.py", *words]
    start.prepare(argv)
    return argv


def test_serve_without_credentials_is_refused_and_other_commands_are_not() -> None:
    prepare("migrate")
    for command in ("serve", "engine"):
        with pytest.raises(environment.EnvironmentProblems):
            prepare(command)


def test_a_demo_works_in_an_empty_environment() -> None:
    argv = prepare("serve", "--demo", "--port", "0")

    port = int(argv[-1])
    config = environment.read(os.environ, credentials_required=True)
    assert argv[-2] == "--port"
    assert port > 0
    assert config.demo
    assert config.public_url == f"http://127.0.0.1:{port}"
    assert config.openai_base_url == f"{config.twilio_base_url}/v1"
    assert config.twilio_base_url != config.public_url
    assert config.database["NAME"] == "var/demo.sqlite3"


def test_the_stage_is_on_the_next_port_unless_somebody_is_there() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]

        assert start.free_port(wanted=taken) != taken
    assert start.free_port(wanted=taken) == taken


def test_what_somebody_set_is_not_overwritten_by_the_demo(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file")
    os.environ.update({"OPENAI_PROJECT_ID": "proj_mine", "TWILIO_AUTH_TOKEN_FILE": str(tmp_path / "token")})

    prepare("serve", "--demo")

    config = environment.read(os.environ)
    assert config.openai_project_id == "proj_mine"
    assert config.twilio_auth_tokens == ("from-a-file",)


def test_the_demo_makes_its_secrets_once_and_keeps_them_private() -> None:
    first = demo_defaults.kept_secrets()
    again = demo_defaults.kept_secrets()

    assert first == again
    assert stat.S_IMODE(demo_defaults.KEPT.stat().st_mode) == 0o600
    assert json.loads(demo_defaults.KEPT.read_text())["password"] == first["password"]


def test_a_demo_on_every_interface_is_reached_over_the_loopback() -> None:
    filled = demo_defaults.defaults({}, host="0.0.0.0", port=9000, stage_port=9001)

    assert filled["PUBLIC_URL"] == "http://127.0.0.1:9000"
    assert filled["TWILIO_BASE_URL"] == "http://127.0.0.1:9001"


def test_the_dotenv_file_of_the_working_directory_fills_what_is_not_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OPENAI_PROJECT_ID=proj_dotenv\nREFER_DEADLINE_S=9\n")
    os.environ["REFER_DEADLINE_S"] = "3"

    prepare("migrate")

    assert os.environ["OPENAI_PROJECT_ID"] == "proj_dotenv"
    assert os.environ["REFER_DEADLINE_S"] == "3"


def test_bug_a_demo_beside_the_dotenv_file_of_real_providers_sends_its_calls_to_nobody_else(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PUBLIC_URL=https://calls.example.com\nDATABASE_URL=sqlite:///real.sqlite3\n")

    prepare("serve", "--demo", "--port", "0")

    config = environment.read(os.environ)
    assert config.public_url.startswith("http://127.0.0.1:")
    assert config.database["NAME"] == "var/demo.sqlite3"


def test_wrong_or_helpless_options_are_left_to_the_command() -> None:
    assert start._serve_options(["--port", "eighty"]) is None
    assert start._serve_options(["--demo", "--help"]) is None


def test_problems_are_printed_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    start.report(environment.EnvironmentProblems(["A should be b.", "C is not set."]))

    assert capsys.readouterr().err.splitlines()[1:3] == ["  A should be b.", "  C is not set."]
