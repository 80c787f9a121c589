"""What `deploy/` and the guide name really exists: settings, commands, flags, metrics, files; images are pinned."""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from tests.test_docs import ROOT, variables

DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
UNITS = sorted((DEPLOY / "systemd").iterdir())
OF_OTHERS = {
    "DOMAIN", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "STATE_DIRECTORY",
    "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "REQUIREMENTS",
}  # fmt: skip
"""Variables of the shell, of Python, of PostgreSQL's image and of the compose file itself."""

OF_THE_EXTRA = {path.stem for path in (ROOT / "callops" / "accounts" / "management" / "commands").glob("[a-z]*.py")}
"""Commands that are there only where the accounts extra is switched on."""


def loaded(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text())
    return parser


def services() -> dict[str, dict[str, Any]]:
    return loaded("compose.yaml")["services"]


def named_variables() -> Iterator[tuple[str, str]]:
    """Every variable that is set or read, with the file that does it."""
    for path in FILES:
        text = path.read_text()
        for name in re.findall(r"\$\{?([A-Z][A-Z0-9_]+)|\{\$([A-Z][A-Z0-9_]+)\}", text):
            yield name[0] or name[1], path.name
        for name in re.findall(r"(?m)^\s*(?:ENV |Environment=)?([A-Z][A-Z0-9_]{3,})[=:]", text):
            yield name, path.name
    for name, service in services().items():
        for variable in service.get("environment", {}):
            yield variable, f"compose.yaml, {name}"


def commands() -> Iterator[list[str]]:
    """Every call of `manage.py`, as words."""
    for service in services().values():
        if service["image"].startswith("callops:"):
            yield [str(word) for word in service["command"]]
    image = (DEPLOY / "Dockerfile").read_text()
    yield [word.strip('" ') for word in re.findall(r"(?m)^CMD \[(.*)\]$", image)[0].split(",")]
    for path in UNITS:
        if path.suffix == ".service" and "manage.py" in (start := unit(path)["Service"]["ExecStart"]):
            yield shlex.split(start.replace("%i", "1"))[2:]
    for text in (path.read_text() for path in [*FILES, ROOT / "docs" / "running.md"]):
        for words in re.findall(r"`(?:[\w./]*python )?manage\.py ([a-z_]+(?: --?[\w-]+)*)", text):
            yield words.split()
        for words in re.findall(r"run --rm (?:--volume \S+ )?web ([a-z_]+)", text):
            yield words.split()


def test_every_file_of_yaml_can_be_read_and_every_unit_too() -> None:
    for path in FILES:
        if path.suffix in {".yaml", ".yml"}:
            assert yaml.safe_load(path.read_text()), path
    for path in UNITS:
        assert "Unit" in unit(path), path


def test_every_variable_is_a_setting() -> None:
    known = variables() | {f"{name}_FILE" for name in variables()} | OF_OTHERS
    named = set(named_variables())

    assert {"PUBLIC_URL", "DATABASE_URL", "DOMAIN"} <= {name for name, _ in named}
    assert sorted((name, where) for name, where in named if name not in known) == []


def test_every_command_exists_with_its_options() -> None:
    wanted = list(commands())
    assert len(wanted) > 12
    for name, *words in wanted:
        if name in OF_THE_EXTRA:
            continue
        assert name in get_commands(), name
        app = get_commands()[name]
        command = load_command_class(app, name) if isinstance(app, str) else app
        options = set(command.create_parser("manage.py", name)._option_string_actions)
        assert {word for word in words if word.startswith("-")} <= options, (name, words)


def test_every_image_is_pinned_by_its_version() -> None:
    images = [service["image"] for service in services().values()]
    images += re.findall(r"(?m)^FROM (\S+)", (DEPLOY / "Dockerfile").read_text())

    assert len(images) >= 8
    for image in images:
        assert image == "callops:local" or re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?", image), image


def test_two_web_processes_two_engines_and_what_they_need_are_described() -> None:
    described = services()

    assert {"web", "engine", "postgres", "redis", "proxy", "migrate"} <= set(described)
    assert [described[name]["deploy"]["replicas"] for name in ("web", "engine")] == [2, 2]
    assert re.match(r"postgres:15\.", described["postgres"]["image"])
    for name in ("web", "engine", "migrate"):
        assert set(described[name]["depends_on"]) <= set(described)


def test_what_is_copied_into_the_image_is_there_and_nothing_else_is_sent() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = [words.split()[0] for words in re.findall(r"(?m)^COPY (?!--from)(.*)$", text)]
    sent = [line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")]

    assert sorted(copied) == sorted(sent)
    assert all((ROOT / path).exists() for path in copied)


def test_every_process_is_given_the_time_to_hand_over() -> None:
    for name in ("web", "engine"):
        assert services()[name]["stop_grace_period"] == "60s"
        assert unit(DEPLOY / "systemd" / f"callops-{name}@.service")["Service"]["TimeoutStopSec"] == "60"


def exposed() -> set[str]:
    return {row[0] for row in metrics_table()}


def metrics_table() -> list[list[str]]:
    from tests.test_docs import table

    return [[cell.strip("`") for cell in row] for row in table(ROOT / "docs" / "running.md", "Metrics")]


@pytest.mark.parametrize("rule", loaded("prometheus/alerts.yaml")["groups"][0]["rules"], ids=lambda rule: rule["alert"])
def test_every_alert_asks_for_metrics_that_are_exposed_and_says_what_to_do(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\bcallops_\w+", rule["expr"]))

    assert named <= exposed(), named - exposed()
    assert named or 'up{job="callops"}' in rule["expr"]
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["action"]
    assert rule["labels"]["severity"] in {"page", "ticket"}


def test_what_an_alert_counts_is_counted_under_that_name() -> None:
    code = "".join(path.read_text() for path in (ROOT / "callops").rglob("*.py"))
    for name in re.findall(
        r'callops_counted_total\{name="([^"]+)"', (DEPLOY / "prometheus" / "alerts.yaml").read_text()
    ):
        assert f'"{name}"' in code, name
    assert '"refused.' in code


def test_both_proxies_pass_sockets_on_and_keep_metrics_to_themselves() -> None:
    nginx, caddy = ((DEPLOY / name).read_text() for name in ("nginx.conf", "Caddyfile"))

    assert "proxy_set_header Upgrade $http_upgrade;" in nginx
    assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in nginx
    assert nginx.count("{") == nginx.count("}")
    assert caddy.count("{") == caddy.count("}")
    for text in (nginx, caddy):
        assert "/metrics" in text
