"""Hanging up by hand."""

from __future__ import annotations

import pytest

from callops.calls.commands import AlreadyOver, hang_up
from callops.calls.words import State
from tests.rows import NOON, body_of, kinds, make_call

pytestmark = pytest.mark.django_db


def test_the_wish_is_on_the_timeline_and_left_to_the_engine() -> None:
    call = hang_up(call=make_call(), asked_by="supervisor1", now=NOON)

    assert (call.end_wish, call.state) == ("operator", State.LIVE)
    assert body_of(call, "operator.hangup") == {"by": "supervisor1"}


def test_asking_again_changes_nothing() -> None:
    call = make_call()

    hang_up(call=call, asked_by="supervisor1", now=NOON)
    hang_up(call=call, asked_by="supervisor2", now=NOON)

    assert kinds(call) == ["operator.hangup"]


def test_the_assistants_own_wish_to_end_is_not_taken_over() -> None:
    call = hang_up(call=make_call(end_wish="assistant"), asked_by="supervisor1", now=NOON)

    assert call.end_wish == "assistant"


def test_a_call_that_is_over_cannot_be_hung_up() -> None:
    call = make_call(state=State.ENDED)

    with pytest.raises(AlreadyOver, match="already over"):
        hang_up(call=call, asked_by="supervisor1", now=NOON)
    assert kinds(call) == []
