"""What `make check` says about vulnerabilities, and what `make sbom` lists."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tools import audit, sbom

ROOT = Path(__file__).resolve().parent.parent
CLEAN = json.dumps({"dependencies": [{"name": "django", "version": "5.2", "vulns": []}], "fixes": []})
FLAWED = json.dumps(
    {"dependencies": [{"name": "django", "version": "5.2", "vulns": [{"id": "CVE-1", "fix_versions": ["5.2.9"]}]}]}
)


def answering(*answers: str):
    given = iter(answers)
    return lambda line: next(given)


@pytest.fixture
def _reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "reachable", lambda: True)


def test_without_a_network_it_says_so_and_does_not_fail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "HOST", "127.0.0.1")
    monkeypatch.setattr(audit, "PORT", 1)

    assert audit.main(answering(), memory=tmp_path) == 0
    assert "skipped: 127.0.0.1 cannot be reached" in capsys.readouterr().out


@pytest.mark.usefixtures("_reached")
def test_a_known_vulnerability_fails_and_says_what_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(answering(CLEAN, FLAWED), memory=tmp_path) == 1
    assert capsys.readouterr().out == "  django 5.2: CVE-1, mended in 5.2.9\n"


@pytest.mark.usefixtures("_reached")
def test_an_answer_that_breaks_off_is_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stuck(line: Sequence[str]) -> str:
        raise subprocess.TimeoutExpired(list(line), 1)

    assert audit.main(answering("ERROR: connection lost"), memory=tmp_path) == 0
    assert audit.main(stuck, memory=tmp_path) == 0
    assert capsys.readouterr().out.count("skipped: ") == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_reached")
def test_what_was_looked_up_today_is_not_asked_again(tmp_path: Path) -> None:
    assert audit.main(answering(CLEAN, CLEAN), memory=tmp_path) == 0
    assert audit.main(answering(), memory=tmp_path) == 0


def test_the_bill_of_materials_lists_what_is_locked_with_its_hashes_and_no_address() -> None:
    made = sbom.bill()

    locked = re.findall(r"(?m)^([a-z0-9.-]+)(?:\[[a-z,-]+\])?==(\S+)", (ROOT / "requirements" / "base.txt").read_text())
    assert {(each["name"].lower(), each["version"]) for each in made["components"]} == set(locked)
    assert all(each["hashes"] for each in made["components"])
    assert made["metadata"]["component"]["name"] == "callops"
    assert re.findall(r'"[^"]*://[^"]*"', json.dumps(made)) == ['"http://cyclonedx.org/schema/bom-1.6.schema.json"']


def test_what_is_looked_after_by_dependabot_is_there() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]

    assert {"pip", "docker"} <= {each["package-ecosystem"] for each in updates}
    assert all((ROOT / each["directory"].strip("/")).is_dir() for each in updates)
