"""The simulator as a process of its own beside the server, kept alive as long as the server lives."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from urllib.parse import urlsplit

from django.conf import settings

logger = logging.getLogger(__name__)

ANEW_AFTER_S = 1.0
END_MAY_TAKE_S = 5.0
HTTP_PORT = 80


class Stage:
    """A service: plays both providers on the port that `TWILIO_BASE_URL` names, with calls arriving by themselves."""

    def __init__(self, *, stage_url: str, app_url: str) -> None:
        self._words = [
            sys.executable,
            "-m",
            "callops.simulator",
            "--port",
            str(urlsplit(stage_url).port or HTTP_PORT),
            "--app",
            app_url,
            "--demo",
        ]
        self._told = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Keep a simulator running; one that dies is started anew after a second.

        It is in a process group of its own: Ctrl-C reaches the server alone, which then ends it.
        """
        while not self._told.is_set():
            self._process = await asyncio.create_subprocess_exec(*self._words, cwd=settings.BASE_DIR, process_group=0)
            status = await self._process.wait()
            if self._told.is_set():
                return
            logger.error("The simulator ended with status %s; it is started anew.", status)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), ANEW_AFTER_S)

    async def stop(self) -> None:
        """The simulator's process is gone afterwards."""
        self._told.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_MAY_TAKE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
