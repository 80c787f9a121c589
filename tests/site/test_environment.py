from __future__ import annotations

import base64
import stat
from dataclasses import fields
from pathlib import Path

import pytest

from callops.core.config import Config
from callops.site.environment import CREDENTIALS, DEFAULTS, SECRETS, EnvironmentProblems, read
from tests.settings import MADE_UP

ROOT = Path(__file__).resolve().parent.parent.parent
POSTGRES = "postgres://callops:pa%40ss@db.example.com:5433/calls?sslmode=require"


def problems(environ: dict[str, str], *, credentials_required: bool = False) -> list[str]:
    with pytest.raises(EnvironmentProblems) as raised:
        read(environ, credentials_required=credentials_required)
    return raised.value.problems


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_empty_environment_has_the_promised_defaults() -> None:
    config = read({})

    assert config.public_url == "http://127.0.0.1:8000"
    assert config.allowed_hosts == ("127.0.0.1", "localhost")
    assert config.is_sqlite
    assert config.database["NAME"] == "var/callops.sqlite3"
    assert config.redis_url == ""
    assert config.openai_base_url == "https://api.openai.com/v1"
    assert config.openai_sip_host == "sip.api.openai.com;transport=tls;secure=true"
    assert config.twilio_base_url == "https://api.twilio.com"
    assert (config.refer_deadline_s, config.webhook_deadline_s) == (4.0, 6.0)
    assert not config.debug
    assert not config.demo


def test_an_empty_value_is_no_value() -> None:
    assert read({"OPENAI_BASE_URL": "", "REFER_DEADLINE_S": " "}).refer_deadline_s == 4.0


def test_every_field_is_read_from_its_variable() -> None:
    config = read(
        MADE_UP
        | {
            "PUBLIC_URL": "https://calls.example.com/",
            "ALLOWED_HOSTS": "calls.example.com, .example.org",
            "DATABASE_URL": POSTGRES,
            "REDIS_URL": "redis://cache.example.com:6379/0",
            "OPENAI_WEBHOOK_SECRET": "whsec_bmV3 whsec_b2xk",
            "TWILIO_AUTH_TOKEN": "new old",
            "TWILIO_API_KEY_SID": "SK0123456789abcdef0123456789abcdef",
            "TWILIO_API_KEY_SECRET": "made-up",
            "TWILIO_BASE_URL": "https://carrier.example.com/api/laml/",
            "REFER_DEADLINE_S": "2.5",
            "TRUSTED_PROXIES": "127.0.0.1, 10.1.0.0/16",
            "DEBUG": "yes",
        }
    )

    assert config.public_url == "https://calls.example.com"
    assert config.allowed_hosts == ("calls.example.com", ".example.org")
    assert config.openai_webhook_secrets == ("whsec_bmV3", "whsec_b2xk")
    assert config.twilio_auth_tokens == ("new", "old")
    assert config.twilio_base_url == "https://carrier.example.com/api/laml"
    assert config.refer_deadline_s == 2.5
    assert config.trusted_proxies == ("127.0.0.1/32", "10.1.0.0/16")
    assert config.debug
    assert config.redis_url == "redis://cache.example.com:6379/0"


def test_a_postgres_address_becomes_a_pooled_connection() -> None:
    database = read(MADE_UP | {"DATABASE_URL": POSTGRES}).database

    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example.com", "5433", "calls")
    assert (database["USER"], database["PASSWORD"]) == ("callops", "pa@ss")
    assert database["OPTIONS"]["sslmode"] == "require"
    assert database["OPTIONS"]["pool"]["max_size"] > 1
    assert database["CONN_MAX_AGE"] == 0
    assert database["CONN_HEALTH_CHECKS"], "after a restart of the server the pool is full of dead connections"


def test_sqlite_writes_one_at_a_time_and_waits_for_its_turn(tmp_path: Path) -> None:
    database = read({"DATABASE_URL": f"sqlite:///{tmp_path}/deep/calls.sqlite3"}).database

    assert database["NAME"] == f"{tmp_path}/deep/calls.sqlite3"
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert database["OPTIONS"]["timeout"] == 20
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]
    assert (tmp_path / "deep").is_dir()


def test_all_problems_are_reported_at_once_by_name() -> None:
    found = problems(
        {
            "DEBUG": "maybe",
            "PUBLIC_URL": "calls.example.com",
            "TRUSTED_PROXIES": "the one in front",
            "DATABASE_URL": "mysql://somewhere/db",
            "OPENAI_WEBHOOK_SECRET": "not-a-secret",
            "REFER_DEADLINE_S": "soon",
        },
        credentials_required=True,
    )

    names = [problem.split()[0] for problem in found]
    assert set(names) == {
        "DEBUG",
        "PUBLIC_URL",
        "TRUSTED_PROXIES",
        "DATABASE_URL",
        "OPENAI_WEBHOOK_SECRET",
        "REFER_DEADLINE_S",
        "OPENAI_API_KEY",
        "OPENAI_PROJECT_ID",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
    }
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("DEBUG", "2"),
        ("PUBLIC_URL", "ftp://calls.example.com"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://user:pw@calls.example.com"),
        ("PUBLIC_URL", "https://calls.example.com/?a=b"),
        ("PUBLIC_URL", "https://calls.example.com:port"),
        ("ALLOWED_HOSTS", "https://calls.example.com"),
        ("ALLOWED_HOSTS", ","),
        ("DATABASE_URL", "sqlite://:memory:"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "postgres://db.example.com"),
        ("DATABASE_URL", "/var/callops.sqlite3"),
        ("REDIS_URL", "cache.example.com:6379"),
        ("OPENAI_API_KEY", "two words"),
        ("OPENAI_PROJECT_ID", "project-1"),
        ("OPENAI_PROJECT_ID", "proj_a;transport=udp"),
        ("OPENAI_WEBHOOK_SECRET", "whsec_"),
        ("OPENAI_WEBHOOK_SECRET", "whsec_bmV3 b2xk"),
        ("OPENAI_BASE_URL", "api.openai.com/v1"),
        ("OPENAI_SIP_HOST", "sip:proj@sip.example.com"),
        ("TWILIO_ACCOUNT_SID", "AC123"),
        ("TWILIO_AUTH_TOKEN", "one two three"),
        ("TWILIO_BASE_URL", "api.twilio.com"),
        ("REFER_DEADLINE_S", "0"),
        ("REFER_DEADLINE_S", "-1"),
        ("REFER_DEADLINE_S", "nan"),
        ("WEBHOOK_DEADLINE_S", "1e9"),
    ],
)
def test_a_value_of_the_wrong_shape_is_a_problem_that_says_the_right_one(name: str, bad: str) -> None:
    found = problems(MADE_UP | {name: bad})

    assert [problem.split()[0] for problem in found] == [name]
    assert found[0].startswith(f"{name} should be ")


def test_credentials_are_required_only_where_calls_are_carried() -> None:
    found = problems({}, credentials_required=True)

    assert [problem.split()[0] for problem in found] == list(CREDENTIALS)
    assert "proj_" in found[1]
    assert "whsec_" in found[2]
    assert read({}).openai_api_key == ""


def test_a_compatible_carrier_may_have_other_account_ids() -> None:
    account = "1b671a64-40d5-491e-99b0-da01ff1f3341"
    config = read({"TWILIO_BASE_URL": "https://carrier.example.com/api/laml", "TWILIO_ACCOUNT_SID": account})

    assert config.twilio_account_sid == account


def test_an_api_key_needs_both_halves() -> None:
    assert [text.split()[0] for text in problems({"TWILIO_API_KEY_SID": "SK1"})] == ["TWILIO_API_KEY_SECRET"]
    assert [text.split()[0] for text in problems({"TWILIO_API_KEY_SECRET": "x"})] == ["TWILIO_API_KEY_SID"]


def test_postgres_needs_a_secret_key_and_sqlite_keeps_its_own(tmp_path: Path) -> None:
    found = problems({"DATABASE_URL": POSTGRES})
    first = read({"DATABASE_URL": f"sqlite:///{tmp_path}/var/calls.sqlite3"})
    again = read({"DATABASE_URL": f"sqlite:///{tmp_path}/var/calls.sqlite3"})

    assert [problem.split()[0] for problem in found] == ["SECRET_KEY"]
    assert len(first.secret_key) >= 50
    assert first.secret_key == again.secret_key
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", SECRETS)
def test_any_secret_may_be_a_file(name: str, tmp_path: Path) -> None:
    else_made_up = {"PRIVACY_KEY": base64.b64encode(b"k" * 32).decode()}
    (tmp_path / "secret").write_text((MADE_UP | else_made_up).get(name, "redis://cache.example.com:6379/0") + "\n")
    environ = {key: value for key, value in MADE_UP.items() if key != name}
    if name == "TWILIO_API_KEY_SECRET":
        environ["TWILIO_API_KEY_SID"] = "SK1"

    from_file = read(environ | {f"{name}_FILE": str(tmp_path / "secret")}, credentials_required=True)

    by_value = read(environ | {name: (tmp_path / "secret").read_text().strip()}, credentials_required=True)
    assert from_file == by_value


def test_a_secret_file_that_cannot_be_used_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "key").write_text("sk-1")

    assert "can be read" in problems({"OPENAI_API_KEY_FILE": str(tmp_path / "missing")})[0]
    assert "empty" in problems({"OPENAI_API_KEY_FILE": str(tmp_path / "empty")})[0]
    assert "both" in problems({"OPENAI_API_KEY_FILE": str(tmp_path / "key"), "OPENAI_API_KEY": "sk-2"})[0]


def test_secrets_are_never_in_problems_nor_in_the_settings_text() -> None:
    hidden = "hidden-text-of-mine"
    environ = {name: f"{hidden} with spaces" for name in SECRETS if name != "SECRET_KEY"}

    said = " ".join(problems(environ | {"TWILIO_AUTH_TOKEN": f"{hidden} a b"}))

    assert hidden not in said
    config = read(MADE_UP)
    for name in ("SECRET_KEY", "OPENAI_API_KEY", "OPENAI_WEBHOOK_SECRET", "TWILIO_AUTH_TOKEN"):
        assert MADE_UP[name] not in repr(config)


def test_the_example_file_lists_every_variable_and_can_be_read() -> None:
    text = (ROOT / ".env.example").read_text()
    listed = {line.lstrip("# ").split("=")[0] for line in text.splitlines() if "=" in line and "://u" not in line}

    assert set(DEFAULTS) | set(CREDENTIALS) | set(SECRETS) <= listed
    assert {"ALLOWED_HOSTS", "TWILIO_API_KEY_SID"} <= listed


def test_every_setting_is_a_field_that_a_room_can_ask_for() -> None:
    assert {field.name for field in fields(Config)} >= {"public_url", "refer_deadline_s", "openai_webhook_secrets"}


def test_what_was_said_is_sealed_with_the_newest_key_and_one_made_of_the_secret_key_comes_last() -> None:
    old, new = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"\xff"))
    alone, both = read(MADE_UP), read(MADE_UP | {"PRIVACY_KEY": f"{new} {old}"})

    assert both.privacy_keys == (b"\xff" * 32, b"o" * 32, *alone.privacy_keys)
    assert len(alone.privacy_keys) == 1
    assert "32 random bytes" in problems({"PRIVACY_KEY": "c2hvcnQ="})[0]
    assert "32 random bytes" in problems({"PRIVACY_KEY": "no base64 at all!"})[0]
