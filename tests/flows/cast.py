"""The callers of the soak: each with one fault of the providers or people, drawn by a seeded chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

Knobs = dict[str, Any]

SUPPORT, SICK, STEP_BY_STEP, TRUNK = "+15550100", "+15550106", "+15550109", "+15550102"
LINES = {SUPPORT: 7, STEP_BY_STEP: 2, SICK: 1}
"""Lines of the flows' directory and how often each is dialled; on all of them somebody takes the call in the end."""
ALWAYS: Knobs = {
    "accept_latency_s": 0.9,
    "human_answers_after_s": 3.0,
    "human_talks_s": 9.0,
    "caller_patience_s": 12.0,
}
CHAT: Knobs = {"conversation": "billing_short", "speed": 10.0}
LONG: Knobs = {"conversation": "silent_caller", "speed": 3.0}
"""A quarter of a minute in which little is said."""

TALK: Mapping[str, Knobs] = {
    **dict.fromkeys(("sip_400_no_webhook", "sip_403", "sip_486", "sip_503", "sip_603", "sip_503_once"), CHAT),
    **dict.fromkeys(("webhook_never", "webhook_late", "webhook_duplicate", "webhook_thrice"), CHAT),
    **dict.fromkeys(("webhook_answer_lost", "accept_404", "accept_409", "accept_429", "accept_429_once"), CHAT),
    **dict.fromkeys(("accept_500", "accept_500_once", "accept_hangs", "accept_dead", "accept_slow"), CHAT),
    **dict.fromkeys(("sideband_garbage", "session_created", "sideband_late", "short_call", "barge_in"), CHAT),
    **dict.fromkeys(("sideband_ends_1000", "sideband_ends_1001", "sideband_ends_1011", "sideband_ends_1012"), CHAT),
    **dict.fromkeys(("sideband_drops", "sideband_drops_1011", "sideband_drops_1012", "accept_dead_once"), LONG),
    **dict.fromkeys(("callbacks_shuffled", "callbacks_duplicated", "callbacks_lost", "callbacks_all_lost"), CHAT),
    "session_expires": {**LONG, "session_lasts_s": 20.0},
    "headers_stripped": CHAT,
    "caller_hangs_up_early": LONG,
    "caller_hangs_up_while_ringing": {"accept_latency_s": 1.5},
    "ghost": {"accept_latency_s": 1.5},
    "silent_caller": {"speed": 10.0},
    "assistant_ends": {"speed": 10.0},
    "assistant_transfers": {"speed": 10.0},
}
"""What may happen on a call that nobody moves by hand."""

MOVED: Mapping[str, Knobs] = {
    **dict.fromkeys(("happy_silent_refer", "refer_works", "refer_late", "refer_tel_400", "refer_404"), LONG),
    **dict.fromkeys(("refer_409", "refer_500", "refer_hangs", "refer_dropped", "refer_works_human_busy"), LONG),
    **dict.fromkeys(("refer_without_action", "human_busy", "human_no_answer", "human_fails", "nobody_answers"), LONG),
    **dict.fromkeys(("caller_hangs_up_during_transfer", "redirect_429", "redirect_500", "redirect_hangs"), LONG),
    **dict.fromkeys(("redirect_lost_answer", "redirect_gone", "sideband_drops", "headers_stripped"), LONG),
    **dict.fromkeys(("callbacks_shuffled", "callbacks_duplicated", "callbacks_lost", "callbacks_all_lost"), LONG),
}
"""What may happen on a call for which a transfer is asked over the API."""

OVER_TRUNK: Mapping[str, Knobs] = dict.fromkeys(("trunk_refer_works", "trunk_refer_silent"), LONG)


@dataclass(frozen=True)
class Part:
    """One caller of the soak."""

    number: int
    scenario: str
    knobs: Knobs
    line: str
    asks_transfer: bool

    @property
    def fault(self) -> str:
        return f"{self.scenario}, moved" if self.asks_transfer else self.scenario


def cast(calls: int, seed: int) -> list[Part]:
    """So many callers; the same seed gives the same ones."""
    chance = Random(seed)
    return [_part(number, chance) for number in range(calls)]


def _part(number: int, chance: Random) -> Part:
    faults = [*((name, False) for name in TALK), *((name, True) for name in MOVED), *((n, True) for n in OVER_TRUNK)]
    scenario, asks = chance.choice(faults)
    line = chance.choices(list(LINES), list(LINES.values()))[0]
    table = OVER_TRUNK if scenario in OVER_TRUNK else MOVED if asks else TALK
    knobs = {**ALWAYS, **table[scenario], "from_number": f"+155501{chance.randint(20, 99)}"}
    if table is OVER_TRUNK:
        line = TRUNK
    elif not asks and chance.random() < 0.2:
        knobs |= {"human": chance.choice(("busy", "no_answer", "fails"))}
    return Part(number, scenario, {**knobs, "to_number": line}, line, asks)
