"""Calls that keep arriving, from a cast that shows what the dashboard is for."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TypeVar

import aiohttp

from callops.simulator.openai.conversations import CONVERSATIONS
from callops.simulator.scenario import Human, Refer, Scenario
from callops.simulator.stage import Stage

T = TypeVar("T")
MOST_AT_ONCE = 6
PAUSE_S = (8.0, 20.0)
ASK_AGAIN_S = 0.5
NOBODY_STAYS_LONGER_S = 420.0
NUMBERS = ("+15550100", "+15550100", "+15550100", "+15550101")
WITHHELD = ("anonymous", "+266696687")

REFERS: dict[Refer, int] = {"silent": 13, "works": 4, "late": 2, "http_500": 1}
HUMANS: dict[Human, int] = {"answers": 14, "busy": 3, "no_answer": 2, "voicemail": 1}
MISHAPS: tuple[tuple[dict[str, object], int], ...] = (
    ({}, 22),
    ({"sip_refuses": 400}, 1),
    ({"accept": "dead"}, 1),
    ({"webhook": "duplicate"}, 1),
    ({"drop_sideband_at_s": 14.0}, 2),
    ({"caller_hangs_up_at_s": 11.0}, 1),
    ({"redirect": "http_500"}, 1),
    ({"callbacks": "shuffled"}, 1),
)


class Cast:
    """Draws one caller after another; every conversation comes round before any comes again."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._conversations: list[str] = []
        self._count = 0

    def draw(self) -> Scenario:
        """The next caller. The first is the normal case, so that it can be seen at once."""
        self._count += 1
        if self._count == 1:
            return Scenario(name="demo-1")
        conversation = self._next_conversation()
        mishap = _weighted(self._random, [deed for deed, _ in MISHAPS], [weight for _, weight in MISHAPS])
        knobs: dict[str, object] = {
            "name": f"demo-{self._count}",
            "conversation": conversation,
            "from_number": self._number(conversation),
            "to_number": self._random.choice(NUMBERS),
            "refer": _weighted(self._random, list(REFERS), list(REFERS.values())),
            "human": _weighted(self._random, list(HUMANS), list(HUMANS.values())),
            "human_answers_after_s": self._random.uniform(3.0, 9.0),
            "human_talks_s": self._random.uniform(20.0, 60.0),
        }
        return Scenario(**{**knobs, **mishap})  # type: ignore[arg-type]

    def _next_conversation(self) -> str:
        if not self._conversations:
            self._conversations = list(CONVERSATIONS)
            self._random.shuffle(self._conversations)
        return self._conversations.pop()

    def _number(self, conversation: str) -> str:
        if conversation == "withheld_long" or self._random.random() < 0.08:
            return self._random.choice(WITHHELD)
        return f"+155501{self._random.randint(20, 99)}"


def _weighted(random: Random, choices: list[T], weights: list[int]) -> T:
    return random.choices(choices, weights)[0]


async def keep_calls_coming(stage: Stage, random: Random) -> None:
    """Once the app is healthy: a call at once, then one every 8 to 20 s, at most six at the same time; for ever."""
    await _until_healthy(stage.config.app_url.rstrip("/") + "/healthz")
    cast = Cast(random)
    while True:
        if _live(stage) < MOST_AT_ONCE:
            sid = stage.place_call(cast.draw())
            asyncio.get_running_loop().call_later(NOBODY_STAYS_LONGER_S, _send_home, stage, sid)
        await asyncio.sleep(random.uniform(*PAUSE_S))


def _live(stage: Stage) -> int:
    return sum(call.parent is None and not call.ended for call in stage.twilio.calls.values())


def _send_home(stage: Stage, sid: str) -> None:
    if sid in stage.twilio.calls:
        stage.twilio.hang_up_caller(sid)


async def _until_healthy(url: str) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5.0)) as http:
        while True:
            try:
                async with http.get(url) as response:
                    if response.ok:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(ASK_AGAIN_S)
