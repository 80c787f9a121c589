from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from callops.site import stage as stage_module
from callops.site.stage import Stage


def played_by(script: str) -> Stage:
    stage = Stage(stage_url="http://127.0.0.1:8001", app_url="http://127.0.0.1:8000")
    stage._words = [sys.executable, "-c", script]
    return stage


async def seen(file: Path, lines: int) -> None:
    async with asyncio.timeout(30):
        while not file.exists() or len(file.read_text().splitlines()) < lines:
            await asyncio.sleep(0.02)


def test_the_simulator_is_told_its_port_and_where_the_application_is() -> None:
    words = Stage(stage_url="http://127.0.0.1:8001", app_url="http://127.0.0.1:8000")._words

    assert words[1:] == ["-m", "callops.simulator", "--port", "8001", "--app", "http://127.0.0.1:8000", "--demo"]


async def test_the_simulator_ends_with_the_server(tmp_path: Path) -> None:
    began = tmp_path / "began"
    stage = played_by(f"import time; open({str(began)!r}, 'a').write('x\\n'); time.sleep(600)")
    running = asyncio.create_task(stage.run())
    await seen(began, 1)

    await stage.stop()

    await asyncio.wait_for(running, 30)
    assert stage._process
    assert stage._process.returncode is not None


async def test_a_simulator_that_dies_is_started_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_module, "ANEW_AFTER_S", 0.01)
    began = tmp_path / "began"
    stage = played_by(f"open({str(began)!r}, 'a').write('x\\n')")
    running = asyncio.create_task(stage.run())

    await seen(began, 2)

    await stage.stop()
    await asyncio.wait_for(running, 30)
