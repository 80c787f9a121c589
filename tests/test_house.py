"""The house itself: locks, commands and rules are what the documents say."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from callops.site import environment

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {
    "accounts",
    "alerts",
    "api",
    "audit",
    "calls",
    "canary",
    "core",
    "custody",
    "dashboard",
    "engine",
    "finding",
    "people",
    "privacy",
    "providers",
    "reports",
    "sideband",
    "simulator",
    "site",
    "supervision",
    "transfers",
    "webhooks",
}


def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", ["base", "dev", "bench", "accounts"])
def test_locks_have_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]

    assert "://" not in text
    assert len(packages) > 20
    assert text.count("--hash=sha256:") >= len(packages)
    assert all(re.match(r"[a-z0-9.-]+(\[[a-z,-]+\])?==\S+ ", line) for line in packages)


@pytest.mark.parametrize("name", ["base", "dev", "bench", "accounts"])
def test_every_wanted_package_is_locked(name: str) -> None:
    wanted = re.findall(r"^([A-Za-z0-9.-]+)", (ROOT / "requirements" / f"{name}.in").read_text(), flags=re.MULTILINE)
    locked = set(re.findall(r"^([a-z0-9.-]+)", (ROOT / "requirements" / f"{name}.txt").read_text(), flags=re.MULTILINE))

    assert {package.lower() for package in wanted if not package.startswith("-")} <= locked


def test_what_runs_is_locked_alike_for_tests() -> None:
    def versions(name: str) -> set[str]:
        return set(re.findall(r"^(\S+==\S+)", (ROOT / "requirements" / f"{name}.txt").read_text(), flags=re.MULTILINE))

    assert versions("base") <= versions("dev")


def test_the_import_rules_name_every_room() -> None:
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["type"] == "layers")
    named = {room.strip() for layer in layers["layers"] for room in layer.split("|")} | set(
        layers["exhaustive_ignores"]
    )
    found = {path.parent.name for path in (ROOT / "callops").glob("*/__init__.py")}

    assert layers["layers"][0] == "site"
    assert named == found == ROOMS
    assert {contract["type"] for contract in contracts} == {"layers", "forbidden"}
    assert any("django" in contract.get("forbidden_modules", []) for contract in contracts)


def test_every_room_with_rows_is_installed() -> None:
    with_models = {path.parent.name for path in (ROOT / "callops").glob("*/models.py")}

    assert {f"callops.{room}" for room in with_models} <= set(settings.INSTALLED_APPS)


def test_the_commands_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))

    assert {"run", "test", "check", "bench"} <= targets
    assert set(re.findall(r"\bmake ([a-z]+)", text)) <= targets
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())
    assert {"run", "test"} <= set(re.findall(r"\bmake ([a-z]+)", text))


def test_the_readme_names_every_variable() -> None:
    text = (ROOT / "README.md").read_text() + "".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))

    for name in {*environment.DEFAULTS, *environment.CREDENTIALS, "ALLOWED_HOSTS", "REDIS_URL", "SECRET_KEY"}:
        assert f"`{name}`" in text, name


def test_the_full_run_can_be_run() -> None:
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    assert "CALLOPS_REQUIRE_ALL=1" in script.read_text()


def test_no_file_of_ours_knows_a_machine_or_a_registry() -> None:
    suffixes = {".py", ".toml", ".txt", ".in", ".md", ".html", ".css", ".js", ".example"}
    hidden = {".git", ".venv", ".venv-bench", "var", "__pycache__"}
    mine = "test_house.py"
    for path in ROOT.rglob("*"):
        if hidden & set(path.relative_to(ROOT).parts) or path.suffix not in suffixes or path.name == mine:
            continue
        text = path.read_text(errors="replace")
        assert not re.search(r"(?<![\w.])/(root|home/\w+|work/\w+)/", text), path
        assert "pypi.org" not in text, path


def test_the_pages_do_with_less_than_four_hundred_lines_of_script() -> None:
    scripts = sorted((ROOT / "static" / "callops").glob("*.js"))

    assert sum(len(script.read_text().splitlines()) for script in scripts) < 400
