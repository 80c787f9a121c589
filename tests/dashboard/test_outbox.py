"""What waits for one browser: handed to the wire at once when it can be, and never out of order."""

from __future__ import annotations

from websockets.frames import Frame, Opcode

from callops.dashboard.outbox import Outbox, framed


class Wire:
    """Takes frames while it is free."""

    def __init__(self, *, is_free: bool = True) -> None:
        self.is_free = is_free
        self.frames: list[bytes] = []

    def take(self, frame: bytes) -> bool:
        if self.is_free:
            self.frames.append(frame)
        return self.is_free


def test_a_text_goes_to_a_free_wire_at_once_as_one_frame() -> None:
    wire = Wire()

    Outbox(user_id=1, at_once=wire.take).put("<p>Hé</p>")

    assert wire.frames == [Frame(Opcode.TEXT, "<p>Hé</p>".encode()).serialize(mask=False)]


async def test_what_a_busy_wire_did_not_take_waits_and_nothing_overtakes_it() -> None:
    wire = Wire(is_free=False)
    outbox = Outbox(user_id=1, at_once=wire.take)
    outbox.put("first")
    wire.is_free = True

    outbox.put("second")

    assert wire.frames == []
    assert await outbox.take() == "first\nsecond"
    outbox.put("third")
    assert wire.frames == [framed("third")]


async def test_a_browser_that_is_behind_gets_nothing_until_it_has_the_whole_picture() -> None:
    wire = Wire(is_free=False)
    outbox = Outbox(user_id=1, limit=1, at_once=wire.take)
    outbox.put("first")
    outbox.put("second")
    wire.is_free = True

    outbox.put("third")
    outbox.catch_up("whole")

    assert wire.frames == []
    assert await outbox.take() == "whole"


def test_nothing_is_sent_to_a_socket_that_is_being_closed() -> None:
    wire = Wire()
    outbox = Outbox(user_id=1, at_once=wire.take)
    outbox.close(4401)

    outbox.put("late")

    assert wire.frames == []


def test_the_same_text_is_framed_once() -> None:
    assert framed("the same") is framed("the same")
