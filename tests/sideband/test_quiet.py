"""A silent caller and dead air are told apart by who spoke last, and only after a while."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.sideband.quiet import QUIET_AFTER, Hush, Silence, Sounds, hush, judge
from callops.sideband.signs import Signs
from tests.rows import at
from tests.sideband.test_life import frame, lived

CALLER, DEAD_AIR = Silence.CALLER, Silence.DEAD_AIR


def heard(**seconds: float | bool) -> Sounds:
    """The last sounds, in seconds after noon; we listen since noon unless it is said."""
    return Sounds(**{"open_at": at(0), **{n: v if isinstance(v, bool) else at(v) for n, v in seconds.items()}})


GREETED = {"sound_began_at": 1, "sound_ended_at": 4}
ASKED = {**GREETED, "speech_began_at": 5, "speech_ended_at": 8}


@pytest.mark.parametrize(
    ("sounds", "expected"),
    [
        ({}, (DEAD_AIR, 0)),
        ({"sound_began_at": 1}, None),
        (GREETED, (CALLER, 4)),
        ({**GREETED, "speech_began_at": 5}, None),
        (ASKED, (DEAD_AIR, 8)),
        ({**ASKED, "sound_began_at": 9}, None),
        ({**ASKED, "sound_began_at": 9, "sound_ended_at": 12}, (CALLER, 12)),
        ({**ASKED, "tool_at_work": True}, None),
        ({**ASKED, "tool_ended_at": 11}, (DEAD_AIR, 11)),
        ({**GREETED, "tool_ended_at": 3}, (CALLER, 4)),
        ({**GREETED, "key_at": 6}, (DEAD_AIR, 6)),
        ({"sound_began_at": 1, "speech_began_at": 2, "sound_ended_at": 2.1}, None),
        ({"sound_began_at": 1, "speech_began_at": 2, "sound_ended_at": 2.1, "speech_ended_at": 3}, (DEAD_AIR, 3)),
        ({**GREETED, "open_at": 30}, (CALLER, 30)),
        ({**ASKED, "open_at": 30}, (DEAD_AIR, 30)),
    ],
)
def test_who_owes_the_next_word(sounds: dict[str, Any], expected: tuple[Silence, float] | None) -> None:
    wanted = Hush(expected[0], at(expected[1])) if expected else None

    assert hush(heard(**sounds)) == wanted


def test_before_we_listen_nothing_is_judged() -> None:
    assert hush(Sounds()) is None


def test_a_pause_is_a_silence_only_once_it_has_lasted() -> None:
    kept = Signs(silence=DEAD_AIR, silent_since=at(8))

    assert judge(kept, at(8) + QUIET_AFTER * 0.99) is None
    assert judge(kept, at(8) + QUIET_AFTER) == Hush(DEAD_AIR, at(8))
    assert judge(Signs(), at(500)) is None


moments = st.none() | st.integers(0, 60).map(at)


@given(
    sounds=st.builds(
        Sounds,
        open_at=moments,
        speech_began_at=moments,
        speech_ended_at=moments,
        key_at=moments,
        sound_began_at=moments,
        sound_ended_at=moments,
        tool_at_work=st.booleans(),
        tool_ended_at=moments,
    ),
    now=st.integers(0, 120).map(at),
)
def test_nobody_is_silent_while_there_is_a_sound_or_a_tool_at_work(sounds: Sounds, now: datetime) -> None:
    found = hush(sounds)

    if found is not None:
        assert not sounds.tool_at_work
        for began, ended in (
            (sounds.speech_began_at, sounds.speech_ended_at),
            (sounds.sound_began_at, sounds.sound_ended_at),
        ):
            assert began is None or (ended is not None and ended >= began)
        latest = [sounds.open_at, sounds.speech_ended_at, sounds.sound_ended_at, sounds.key_at, sounds.tool_ended_at]
        assert found.since <= max(moment for moment in latest if moment)
        assert sounds.open_at is not None and found.since >= sounds.open_at


@pytest.mark.parametrize(
    ("seen", "silence", "since"),
    [
        ([], DEAD_AIR, 0),
        ([("+", 1), ("-", 4)], CALLER, 4),
        ([("+", 1), ("-", 4), ("<", 5), (">", 7)], DEAD_AIR, 7),
        ([("+", 1), ("-", 4), ("#", 6)], DEAD_AIR, 6),
        ([("+", 1), ("-", 4), ("response.created", 30)], CALLER, 4),
        ([("+", 1)], "", None),
    ],
)
def test_frames_leave_the_hush_with_the_signs(seen: list[tuple[str, float]], silence: str, since: float | None) -> None:
    signs = lived(*seen, opened=0).signs

    assert (signs.silence, signs.silent_since) == (silence, None if since is None else at(since))


def test_no_silence_while_a_tool_is_at_work_ours_or_a_servers() -> None:
    ours, servers = lived(("<", 1), (">", 2), opened=0), lived(("<", 1), (">", 2), opened=0)
    ours.take(frame("response.function_call_arguments.done", call_id="call_1"), at(3))
    servers.take(frame("response.mcp_call.in_progress", item_id="item_1"), at(3))

    assert (ours.signs.silence, servers.signs.silence) == ("", "")

    servers.take(frame("response.mcp_call.failed", item_id="item_1"), at(20))
    assert (servers.signs.silence, servers.signs.silent_since) == (DEAD_AIR, at(20))
