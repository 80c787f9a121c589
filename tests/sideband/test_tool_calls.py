from __future__ import annotations

from typing import Any

from callops.sideband.transcript import ToolCall, Transcript
from tests.sideband.recorded import (
    added,
    fold,
    frame,
    only,
    texts,
)


def tool_item(arguments: str = "", status: str = "in_progress") -> dict[str, Any]:
    item = {"id": "f", "type": "function_call", "name": "end_call", "call_id": "call_1"}
    return {**item, "arguments": arguments, "status": status}


def arguments_done(**fields: Any) -> Any:
    about = {"response_id": "r", "item_id": "f", "call_id": "call_1", "arguments": '{"why":"bye"}'}
    return frame("response.function_call_arguments.done", **{**about, **fields})


def test_a_tool_call_is_one_turn_with_its_output() -> None:
    talk = Transcript()
    output = {"id": "o", "type": "function_call_output", "call_id": "call_1", "output": '{"ok":true}'}

    fold(talk, added(tool_item()))
    fold(talk, frame("response.function_call_arguments.delta", item_id="f", call_id="call_1", delta='{"why":'))
    growing = only(talk).text
    fold(talk, arguments_done(), frame("conversation.item.done", item=tool_item('{"why":"bye"}', "completed")))
    (answered,) = fold(talk, added(output, "f"))

    turn = only(talk)
    assert growing == 'end_call({"why":)'
    assert answered.turns == ("f",)
    assert (turn.speaker, turn.text, turn.final) == ("tool", 'end_call({"why":"bye"})', True)
    assert turn.detail == {
        "name": "end_call",
        "arguments": '{"why":"bye"}',
        "call_id": "call_1",
        "output": '{"ok":true}',
    }


def test_a_finished_call_is_given_out_once() -> None:
    talk = Transcript()
    fold(talk, added(tool_item()))
    done = frame("conversation.item.done", item=tool_item('{"why":"bye"}', "completed"))

    first = talk.finished_call(arguments_done())
    again = [talk.finished_call(arguments_done()), talk.finished_call(done)]
    successor = Transcript.load(talk.dump()).finished_call(done)

    assert first == ToolCall("end_call", "call_1", '{"why":"bye"}', "f")
    assert again == [None, None]
    assert successor is None


def test_a_call_whose_name_was_never_seen_waits_for_its_item() -> None:
    talk = Transcript()

    nameless = talk.finished_call(arguments_done())
    named = talk.finished_call(frame("response.output_item.done", item=tool_item("{}", "completed")))

    assert nameless is None
    assert named == ToolCall("end_call", "call_1", "{}", "f")


def test_a_call_that_was_cut_short_or_answered_is_not_given_out() -> None:
    cut, answered = Transcript(), Transcript()
    output = {"id": "o", "type": "function_call_output", "call_id": "call_1", "output": "{}"}
    fold(answered, added(output))

    assert cut.finished_call(frame("conversation.item.done", item=tool_item('{"wh', "incomplete"))) is None
    assert answered.finished_call(frame("conversation.item.done", item=tool_item("{}", "completed"))) is None


def test_an_output_that_was_seen_before_its_call_belongs_to_it() -> None:
    talk = Transcript()
    output = {"id": "o", "type": "function_call_output", "call_id": "call_1", "output": "{}"}

    fold(talk, added(output, "f"), frame("conversation.item.done", item=tool_item("{}", "completed")))

    assert only(talk).detail["output"] == "{}"


def test_a_call_of_a_server_s_own_tool_is_shown_and_not_given_out() -> None:
    talk = Transcript()
    item = {"id": "m", "type": "mcp_call", "name": "find_outage", "arguments": "{}", "output": "none", "error": None}
    done = frame("conversation.item.done", item=item)

    fold(talk, done)

    assert texts(talk) == [("tool", "find_outage({})")]
    assert only(talk).detail["output"] == "none"
    assert talk.finished_call(done) is None
