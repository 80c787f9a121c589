from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.simulator.twilio.theatre import PROJECT, ai_dial, human_dial, theatre, twiml

CONTRACTS = Path(__file__).parents[2] / "contracts" / "twilio"


def keys_of(name: str) -> set[str]:
    return set(json.loads((CONTRACTS / f"{name}.json").read_text()))


async def test_the_invite_carries_the_childs_sid_and_the_decoded_headers_of_the_document() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial(headers="?X-Callops-Ref=a%2Fb&amp;X-Parent-Call-Sid=CA1")

        call = await t.live_call()

        (child,) = t.children(call)
        invite = t.ai.dialogs[0].invite
        headers = dict(invite.headers)
        assert invite.uri == PROJECT and not invite.srtp
        assert headers["X-Twilio-CallSid"] == child.sid
        assert headers["X-Callops-Ref"] == "a/b"
        assert headers["X-Parent-Call-Sid"] == "CA1"
        assert headers["User-Agent"] == "Twilio Gateway"
        assert {"Via", "From", "To", "Call-ID", "CSeq", "Contact", "X-Twilio-AccountSid"} <= headers.keys()


async def test_the_callbacks_of_the_ais_leg_look_like_the_examples_and_count_up() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/action"] = twiml("<Hangup/>")

        call = await t.live_call()
        t.ai.dialogs[0].carrier.bye()
        last = await t.seen("/leg", 4)

        steps = ["initiated", "ringing", "in-progress", "completed"]
        seen = t.app.at("/leg")
        assert [one.params["CallStatus"] for one in seen] == steps
        assert [one.params["SequenceNumber"] for one in seen] == ["0", "1", "2", "3"]
        assert all(one.signed and one.params["ParentCallSid"] == call.sid for one in seen)
        for one, name in zip(seen, ["initiated", "ringing", "answered", "completed"], strict=True):
            assert one.params.keys() == keys_of(f"sip-status-{name}")
        assert last.params["SipResponseCode"] == "200"


async def test_the_caller_rings_until_the_ai_answers_when_the_dial_answers_on_bridge() -> None:
    async with theatre() as t:
        t.ai.answers = False
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = t.call()
        await t.seen("/leg", 2)
        assert call.status == "ringing"
        t.ai.dialogs[0].carrier.answered()
        await t.until(lambda: call.status == "in-progress")


async def test_the_caller_is_answered_at_once_without_answer_on_bridge() -> None:
    async with theatre() as t:
        t.ai.answers = False
        t.app.answers["/twiml/inbound"] = ai_dial('action="/action"')

        call = t.call()
        await t.seen("/leg", 2)

        assert call.status == "in-progress"


async def test_an_ai_that_ends_the_call_leaves_the_caller_to_the_action_document() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/action"] = human_dial()
        t.app.answers["/human-action"] = twiml("<Hangup/>")

        call = await t.live_call()
        t.ai.dialogs[0].carrier.bye()
        await t.ended(call)

        action = t.app.at("/action")[0]
        human = t.app.at("/human-action")[0]
        assert action.signed and action.params.keys() == keys_of("dial-action-completed")
        assert action.params["CallStatus"] == "in-progress"
        assert action.params["DialCallStatus"] == "completed"
        assert human.params.keys() == keys_of("human-dial-action-completed")
        assert human.params["DialBridged"] == "true"
        assert t.ai.dialogs[0].said == []


@pytest.mark.parametrize(
    ("code", "status", "alert"),
    [
        (486, "busy", []),
        (600, "busy", []),
        (603, "busy", []),
        (408, "no-answer", []),
        (480, "no-answer", []),
        (400, "failed", [13224]),
        (403, "failed", [32011]),
        (503, "failed", [32011]),
    ],
)
async def test_a_refused_invite_is_told_to_the_action_with_its_code(code: int, status: str, alert: list[int]) -> None:
    async with theatre() as t:
        t.ai.refuses = code
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/action"] = twiml("<Hangup/>")

        await t.ended(t.call())
        last = await t.seen("/leg", 2)

        action = t.app.at("/action")[0].params
        assert action.keys() == keys_of("dial-action-failed-sip-4xx")
        assert (action["DialCallStatus"], action["DialSipResponseCode"]) == (status, str(code))
        assert action["DialBridged"] == "false" and action["CallStatus"] == "in-progress"
        assert (last.params["CallStatus"], last.params["SipResponseCode"]) == (status, str(code))
        assert t.alerts() == alert


async def test_an_ai_that_never_answers_ends_the_dial_five_seconds_after_its_timeout() -> None:
    async with theatre() as t:
        t.ai.answers = False
        t.app.answers["/twiml/inbound"] = ai_dial('action="/action" timeout="5" answerOnBridge="true"')
        t.app.answers["/action"] = twiml("<Hangup/>")

        call = t.call()
        await t.until(lambda: call.ended, deadline_s=15)

        action = t.app.at("/action")[0].params
        assert action.keys() == keys_of("dial-action-no-answer")
        assert (action["DialCallStatus"], action["DialSipResponseCode"]) == ("no-answer", "487")
        assert t.ai.dialogs[0].said == ["cancel"]


@pytest.mark.parametrize(
    ("human", "status", "bridged"),
    [
        ("answers", "completed", "true"),
        ("busy", "busy", "false"),
        ("no_answer", "no-answer", "false"),
        ("fails", "failed", "false"),
        ("voicemail", "completed", "true"),
    ],
)
async def test_a_persons_leg_ends_as_the_scenario_says(human: str, status: str, bridged: str) -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = human_dial('action="/human-action" timeout="5"')
        t.app.answers["/human-action"] = twiml("<Hangup/>")

        call = t.call(human=human)
        await t.ended(call)

        action = t.app.at("/human-action")[0].params
        assert (action["DialCallStatus"], action["DialBridged"]) == (status, bridged)
        assert action["DialCallSid"] == t.children(call)[0].sid
        assert "DialSipResponseCode" not in action


@pytest.mark.parametrize(
    ("human", "bridged", "key"), [("answers", "true", "1"), ("voicemail", "false", None), ("declines", "false", "2")]
)
async def test_only_a_person_who_takes_the_call_passes_the_screening_document(
    human: str, bridged: str, key: str | None
) -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = human_dial(noun='url="/screen"')
        t.app.answers["/screen"] = twiml(
            '<Gather action="/passed" numDigits="1"><Say>Press one.</Say></Gather><Hangup/>'
        )
        t.app.answers["/passed"] = twiml("<Hangup/>" if key == "2" else "")
        t.app.answers["/human-action"] = twiml("<Hangup/>")

        call = t.call(human=human)
        await t.ended(call)

        action = t.app.at("/human-action")[0].params
        assert (action["DialCallStatus"], action["DialBridged"]) == ("completed", bridged)
        assert t.app.at("/screen")[0].params["ParentCallSid"] == call.sid
        assert [request.params["Digits"] for request in t.app.at("/passed")] == ([key] if key else [])


async def test_the_second_attempt_meets_the_second_human() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = human_dial('action="/again"')
        t.app.answers["/again"] = human_dial()
        t.app.answers["/human-action"] = twiml("<Hangup/>")

        await t.ended(t.call(human="busy", second_human="answers"))

        assert t.app.at("/again")[0].params["DialCallStatus"] == "busy"
        assert t.app.at("/human-action")[0].params["DialBridged"] == "true"


async def test_the_first_of_several_nouns_to_answer_cancels_the_rest() -> None:
    async with theatre() as t:
        both = "<Number>+15550111</Number><Sip>sip:desk@house.example.com</Sip>"
        t.app.answers["/twiml/inbound"] = twiml(f'<Dial action="/human-action">{both}</Dial>')
        t.app.answers["/human-action"] = twiml("<Hangup/>")

        call = t.call(human="no_answer")
        await t.ended(call)

        assert [child.status for child in t.children(call)] == ["canceled", "completed"]
        assert "DialSipResponseCode" in t.app.at("/human-action")[0].params


async def test_sequential_nouns_are_tried_one_after_another() -> None:
    async with theatre() as t:
        t.ai.refuses = 503
        both = f"<Sip>{PROJECT}</Sip><Number>+15550111</Number>"
        t.app.answers["/twiml/inbound"] = twiml(f'<Dial sequential="true" action="/human-action">{both}</Dial>')
        t.app.answers["/human-action"] = twiml("<Hangup/>")

        call = t.call()
        await t.ended(call)

        assert [child.status for child in t.children(call)] == ["failed", "completed"]


@pytest.mark.parametrize(
    ("noun", "code"),
    [
        (f"<Sip>{PROJECT}?Secret=1</Sip>", 13252),
        (f"<Sip>{PROJECT}?X-A={'a' * 1024}</Sip>", 13253),
        ("<Number>nobody</Number>", 13223),
    ],
)
async def test_a_noun_that_is_not_dialled_fails_the_dial_with_an_alert(noun: str, code: int) -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = twiml(f'<Dial action="/action">{noun}</Dial>')
        t.app.answers["/action"] = twiml("<Hangup/>")

        call = t.call()
        await t.ended(call)

        assert t.app.at("/action")[0].params["DialCallStatus"] == "failed"
        assert t.alerts() == [code]
        assert t.children(call) == []


async def test_a_caller_who_hangs_up_is_told_to_an_action_whose_answer_nobody_runs() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        t.app.answers["/action"] = human_dial()

        call = await t.live_call()
        t.stage.hang_up_caller(call.sid)
        action = await t.seen("/action")
        status = await t.seen("/status")

        assert action.params.keys() == keys_of("dial-action-caller-hangup")
        assert (action.params["CallStatus"], action.params["DialCallStatus"]) == ("completed", "completed")
        assert status.params["CallStatus"] == "completed"
        assert t.ai.dialogs[0].said == ["bye"]
        assert len(t.children(call)) == 1


async def test_a_caller_who_hangs_up_while_the_ai_rings_was_never_answered() -> None:
    async with theatre() as t:
        t.ai.answers = False
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = t.call(caller_hangs_up_while_ringing=True)
        action = await t.seen("/action")
        status = await t.seen("/status")

        assert (action.params["CallStatus"], action.params["DialCallStatus"]) == ("completed", "canceled")
        assert status.params["CallStatus"] == call.status == "no-answer"
        assert t.ai.dialogs[0].said == ["cancel"]


async def test_a_caller_leaves_when_the_conversation_is_over_unless_a_transfer_was_asked() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        left = await t.live_call()
        stayed = await t.live_call()
        t.stage.transfer_asked(stayed.sid)
        t.stage.conversation_over(t.children(stayed)[0].sid)
        t.stage.conversation_over(t.children(left)[0].sid)
        await t.ended(left)

        assert not stayed.ended


async def test_keys_of_the_caller_reach_the_ai() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = await t.live_call()
        t.stage.press(call.sid, "7")

        assert t.ai.dialogs[0].said == ["dtmf 7"]


@pytest.mark.parametrize(
    ("mood", "numbers"),
    [("duplicated", ["0", "0", "1", "1", "2", "2"]), ("shuffled", ["1", "0", "2"]), ("lost", [])],
)
async def test_status_callbacks_are_as_unreliable_as_the_scenario_wants(mood: str, numbers: list[str]) -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()

        call = await t.live_call(callbacks=mood)
        if numbers:
            await t.seen("/leg", len(numbers))
        else:
            await t.until(lambda: sum(one["kind"] == "lost_callback" for one in t.stage.record) == 3)

        assert [one.params["SequenceNumber"] for one in t.app.at("/leg")] == numbers
        assert not call.ended
        tokens = {one.headers["I-Twilio-Idempotency-Token"] for one in t.app.at("/leg")}
        assert len(tokens) == len(set(numbers))


async def test_only_the_second_dial_to_the_ai_meets_a_scenario_that_refuses_again() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial('action="/again"')
        t.app.answers["/again"] = ai_dial('action="/action"')
        t.app.answers["/action"] = twiml("<Hangup/>")

        call = await t.live_call(sip_refuses_again=503)
        t.ai.dialogs[0].carrier.bye()
        await t.until(lambda: len(t.ai.dialogs) == 2)
        t.ai.dialogs[1].carrier.bye()
        await t.ended(call)

        assert [dialog.invite.scenario.sip_refuses for dialog in t.ai.dialogs] == [None, 503]


async def test_when_all_callbacks_are_lost_the_action_of_a_caller_who_hung_up_is_lost_too() -> None:
    async with theatre() as t:
        t.app.answers["/twiml/inbound"] = ai_dial()
        call = await t.live_call(callbacks="all_lost")

        t.stage.hang_up_caller(call.sid)
        await t.until(lambda: sum(one["kind"] == "lost_callback" for one in t.stage.record) == 6)

        lost = [one.get("purpose") for one in t.stage.record if one["kind"] == "lost_callback"]
        assert lost.count("action_ignored") == 1
        assert [one.path for one in t.app.seen] == ["/twiml/inbound"]
