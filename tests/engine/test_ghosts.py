"""Sessions nobody is on are ended; whatever shows a sign of life is left alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from callops.calls.models import Call, Leg
from callops.core.database import in_db
from callops.engine import ghosts
from callops.sideband.models import AiSession
from tests.rows import at, kinds, make_call, make_session

pytestmark = pytest.mark.django_db(transaction=True)

ENOUGH = at(31)


def session_without_a_leg(**fields: Any) -> AiSession:
    call = make_call(carrier_sid=None, ai_leg_sid="", state="live")
    return make_session(call, **fields)


class OpenAi(SimpleNamespace):
    def __init__(self) -> None:
        super().__init__(ended=[])

    async def hang_up_ai(self, ai_call_id: str) -> None:
        self.ended.append(ai_call_id)


def test_an_accepted_session_without_leg_speech_or_key_is_a_ghost_after_a_while() -> None:
    session = session_without_a_leg()

    assert ghosts.wanted(at(29)) == []
    assert ghosts.wanted(ENOUGH) == [session.pk]


def test_a_caller_who_left_while_the_ai_was_reached_leaves_a_ghost() -> None:
    call = make_call()
    session = make_session(call)
    Leg.objects.filter(call=call, role="caller").update(ended_at=at(1), status="completed")

    assert ghosts.wanted(ENOUGH) == [session.pk]


@pytest.mark.parametrize(
    "signs",
    [
        {"heard_at": at(5)},
        {"life_at": at(20)},
        {"life_at": at(1), "busy": True},
        {"closed_at": at(2)},
        {"accepted_at": None},
        {"ghost_at": at(30)},
    ],
    ids=["the caller spoke", "something played a moment ago", "a tool is at work", "over", "not accepted", "known"],
)
def test_a_sign_of_life_keeps_a_session(signs: dict[str, Any]) -> None:
    session_without_a_leg(**signs)

    assert ghosts.wanted(ENOUGH) == []


def test_a_leg_that_is_up_keeps_a_session_however_silent() -> None:
    make_session(make_call())

    assert ghosts.wanted(at(3000)) == []


def test_a_playback_that_was_never_heard_to_end_keeps_nobody_for_ever() -> None:
    session = session_without_a_leg(life_at=at(1), busy=True)

    assert ghosts.wanted(at(302)) == [session.pk]


async def test_a_ghost_is_ended_once_and_the_caller_left_before_any_voice() -> None:
    session = await in_db(session_without_a_leg)(opened_at=None)
    await in_db(Call.objects.update)(ai_session="accepting", state="connecting")
    openai = OpenAi()

    for _ in range(2):
        await ghosts.end(openai, session.pk, clock=lambda: ENOUGH)

    call = await in_db(Call.objects.get)()
    assert openai.ended == [session.ai_call_id]
    assert call.caller_left_at == ENOUGH
    assert (await in_db(kinds)(call)).count("openai.ghost") == 1
