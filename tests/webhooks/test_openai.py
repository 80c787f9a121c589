"""OpenAI's door: who may come in, what is accepted, and what is acknowledged without being acted upon."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import AsyncClient

from callops.calls.correlation import sign
from callops.calls.models import Call, Event, Leg, Line
from callops.core import clock
from callops.core.config import config
from callops.core.database import in_db
from callops.core.models import Counter
from callops.sideband.models import AiSession
from callops.webhooks import openai as door
from tests.rows import CALLER, OUR_NUMBER, body_of, kinds, make_call, make_destination, make_line, make_ringing_call
from tests.webhooks.ai import CALL_ID, OpenAi, announce, announcement, deliver, post

pytestmark = pytest.mark.django_db(transaction=True)

VECTOR = json.loads((Path(__file__).parents[1] / "contracts/openai/webhook-signature-vector.json").read_text())
SIGNED_AT = int(VECTOR["headers"]["webhook-timestamp"])


@pytest.fixture
async def openai(configure: Callable[..., Any]) -> AsyncIterator[OpenAi]:
    """A loopback OpenAI that the door's client reaches."""
    async with OpenAi() as made:
        configure(openai_base_url=made.url)
        yield made
        door._client.cache_clear()


@pytest.fixture
async def line() -> Line:
    return await in_db(make_line)(fallback=await in_db(make_destination)())


@pytest.fixture
async def ringing(line: Line) -> Call:
    """A call whose AI was dialled a moment ago."""
    return await in_db(make_ringing_call)(line, started_at=clock.now(), ai_dialled_at=clock.now())


def reference(call: Call, at: datetime | None = None) -> dict[str, str]:
    """Our own headers as they come back in the INVITE, in whatever case."""
    signed = sign(call.pk, key=config().secret_key, at=at or clock.now())
    return {"x_callops_ref": call.pk, "X_CALLOPS_SIG": signed}


async def fresh(call: Call) -> Call:
    return await in_db(Call.objects.select_related("line").get)(pk=call.pk)


async def refusals(name: str = "refused.openai_signature") -> int:
    counter = await in_db(Counter.objects.filter(name=name).first)()
    return counter.count if counter else 0


class TestWhoMayComeIn:
    @pytest.fixture(autouse=True)
    def _rotating(self, configure: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
        configure(openai_webhook_secrets=(VECTOR["secret"],))
        monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(SIGNED_AT + 1, UTC))

    async def send(self, **changed: str) -> int:
        headers = {name: value for name, value in VECTOR["headers"].items() if name.startswith("webhook-")}
        return (await post(VECTOR["body"] + changed.pop("body_suffix", ""), headers | changed)).status_code

    @pytest.mark.parametrize("case", VECTOR["cases"], ids=lambda case: case["name"])
    async def test_every_signature_of_the_contract_at_the_door(self, case: dict[str, Any]) -> None:
        changed = {key: case[key] for key in ("webhook-signature", "body_suffix") if key in case}

        status = await self.send(**changed)

        allowed = {True: {200}, False: {400}, "sdk-accepts": {200, 400}}[case["ok"]]
        assert status in allowed
        assert await refusals() == (status == 400)
        assert await in_db(Call.objects.count)() == (status == 200)

    @pytest.mark.parametrize("case", VECTOR["time_cases"], ids=lambda case: case["name"])
    async def test_every_clock_of_the_contract_at_the_door(
        self, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(case["now"], UTC))

        assert await self.send() == (200 if case["ok"] else 400)

    @pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
    async def test_a_delivery_without_one_of_its_headers_is_refused_and_counted(self, name: str) -> None:
        headers = {key: VECTOR["headers"][key] for key in VECTOR["headers"] if key.startswith("webhook-")}
        del headers[name]

        assert (await post(VECTOR["body"], headers)).status_code == 400
        assert await refusals() == 1
        assert await in_db(Event.objects.count)() == 0

    async def test_while_a_secret_is_rotated_both_are_good(self, configure: Callable[..., Any]) -> None:
        configure(openai_webhook_secrets=(VECTOR["rotated_secret"], VECTOR["secret"]))

        assert await self.send() == 200
        again = await deliver(VECTOR["body"], secret=VECTOR["rotated_secret"], delivery="wh_other")
        assert again.status_code == 200


async def test_a_genuine_body_that_is_no_json_is_refused_and_counted() -> None:
    assert (await deliver("not json")).status_code == 400
    assert (await deliver("[1, 2]")).status_code == 400
    assert await refusals("refused.openai_body") == 2


async def test_only_deliveries_by_post_are_taken() -> None:
    assert (await AsyncClient().get("/webhooks/openai")).status_code == 405


async def test_an_unknown_event_is_acknowledged_and_kept_once() -> None:
    body = json.dumps({"id": "evt_9", "object": "event", "type": "response.completed", "created_at": 1, "data": {}})

    statuses = [(await deliver(body, delivery="wh_9")).status_code for _ in range(2)]

    kept = await in_db(Event.objects.get)()
    assert statuses == [200, 200]
    assert (kept.kind, kept.body["type"], kept.call_id) == ("openai.webhook", "response.completed", None)


async def test_a_call_is_joined_by_our_signed_header_and_accepted_at_once(ringing: Call, openai: OpenAi) -> None:
    assert (await announce(**reference(ringing))).status_code == 200

    call = await fresh(ringing)
    ((call_id, payload),) = openai.accepts
    assert call_id == CALL_ID
    assert (payload["type"], payload["model"]) == ("realtime", call.line.model)
    assert payload["audio"]["input"]["transcription"]
    assert "format" not in payload["audio"]["input"]
    assert "format" not in payload["audio"]["output"]
    assert (call.correlation_method, call.correlation_confidence) == ("signed_header", "exact")
    assert (call.ai_call_id, call.ai_session, call.webhook_due_at) == (CALL_ID, "accepting", None)
    answered = await in_db(body_of)(call, "openai.accept_answered")
    assert (answered["status"], answered["request_id"]) == (200, "req_1")


async def test_headers_the_answer_should_have_had_are_noted_as_absent(ringing: Call, openai: OpenAi) -> None:
    openai.headers = {}

    await announce(**reference(ringing))

    answered = await in_db(body_of)(ringing, "openai.accept_answered")
    assert set(answered["absent"]) == {"x-request-id", "openai-processing-ms"}
    assert answered["request_id"] is None


@pytest.mark.parametrize(
    "forged",
    [
        {"X_Callops_Sig": "1.0000"},
        {"X_Callops_Sig": ""},
        {"X_Callops_Sig": "soon"},
    ],
)
async def test_a_reference_without_our_signature_joins_nothing(
    ringing: Call, openai: OpenAi, forged: dict[str, str]
) -> None:
    await announce(caller="+15550199", X_Callops_Ref=ringing.pk, **forged)

    assert (await fresh(ringing)).ai_call_id is None


async def test_a_reference_that_is_two_hours_old_joins_nothing(ringing: Call, openai: OpenAi) -> None:
    await announce(caller="+15550199", **reference(ringing, clock.now() - timedelta(hours=2)))

    assert (await fresh(ringing)).ai_call_id is None


async def test_the_carriers_sid_of_a_known_leg_joins_exactly(ringing: Call, openai: OpenAi) -> None:
    await announce(caller="+15550199", X_Twilio_CallSid=ringing.carrier_sid)

    call = await fresh(ringing)
    assert (call.correlation_method, call.correlation_confidence) == ("carrier_sid", "exact")


async def test_numbers_and_time_join_as_probable(ringing: Call, openai: OpenAi) -> None:
    await announce(caller=CALLER)

    call = await fresh(ringing)
    assert (call.correlation_method, call.correlation_confidence) == ("numbers_and_time", "probable")


async def test_a_trunk_caller_is_not_taken_for_another_caller_with_the_same_number(
    ringing: Call, openai: OpenAi
) -> None:
    trunk = await in_db(make_line)(number="+15550102", topology="trunk")

    await announce(To=f"<sip:{trunk.number}@sip.api.openai.com>", X_Twilio_CallSid="CA-trunk")

    own = await in_db(Call.objects.get)(ai_call_id=CALL_ID)
    assert (own.pk != ringing.pk, own.carrier_sid, own.line_id) == (True, "CA-trunk", trunk.pk)
    assert (await fresh(ringing)).ai_call_id is None


async def test_two_calls_that_fit_equally_well_are_no_match(line: Line, openai: OpenAi) -> None:
    at = clock.now()
    for _ in range(2):
        await in_db(make_ringing_call)(line, started_at=at, ai_dialled_at=at)

    await announce(caller=CALLER)

    alone = await in_db(Call.objects.get)(ai_call_id=CALL_ID)
    assert (alone.carrier_sid, alone.correlation_method) == (None, "none")


async def test_an_ai_call_nobody_knows_is_a_call_of_its_own_and_answered_by_the_only_line(
    line: Line, openai: OpenAi
) -> None:
    await announce(caller="+15550177")

    call = await in_db(Call.objects.get)()
    assert (call.from_number, call.carrier_sid, call.state) == ("+15550177", None, "connecting")
    assert len(openai.accepts) == 1


async def test_a_redelivery_is_acknowledged_and_not_acted_on_twice(ringing: Call, openai: OpenAi) -> None:
    statuses = [(await announce(**reference(ringing))).status_code for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert len(openai.accepts) == 1
    assert (await in_db(kinds)(ringing)).count("openai.webhook") == 1


async def test_three_deliveries_at_once_are_one_decision(ringing: Call, openai: OpenAi) -> None:
    about = reference(ringing)

    answers = await asyncio.gather(*(announce(delivery=f"wh_{n}", **about) for n in range(3)))

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(openai.accepts) == 1


async def test_a_delivery_whose_process_died_before_the_accept_is_acted_on_when_it_comes_again(
    ringing: Call, openai: OpenAi
) -> None:
    await announce(**reference(ringing))
    openai.accepts.clear()
    died = {"accepted_at": None, "decision_owner": "dead", "decision_until": clock.now() - timedelta(seconds=1)}
    await in_db(AiSession.objects.update)(**died)

    await announce(**reference(ringing))

    assert len(openai.accepts) == 1


async def test_a_webhook_older_than_a_minute_is_acknowledged_and_not_acted_on(ringing: Call, openai: OpenAi) -> None:
    answer = await announce(at=clock.now() - timedelta(seconds=61), **reference(ringing))

    assert answer.status_code == 200
    assert openai.accepts == []
    held = await in_db(body_of)(ringing, "us.accept_held_back")
    assert held["cause"] == "too_old"
    assert "s old; its call is dead" in held["why"]


async def test_a_caller_who_is_gone_is_not_accepted_for(line: Line, openai: OpenAi) -> None:
    gone = await in_db(make_call)(line, state="ended", ai_call_id=None, ai_session="none")
    await in_db(Leg.objects.filter(call=gone).update)(status="completed", ended_at=clock.now())

    await announce(**reference(gone))

    assert openai.accepts == []
    assert (await in_db(body_of)(gone, "us.accept_held_back"))["cause"] == "caller_gone"


async def test_a_session_that_openai_would_refuse_is_never_sent_and_the_field_is_named(
    ringing: Call, openai: OpenAi
) -> None:
    await in_db(Line.objects.update)(voice="nobody")

    await announce(**reference(ringing))

    held = await in_db(body_of)(ringing, "us.accept_held_back")
    assert openai.accepts == []
    assert "audio.output.voice" in held["why"]
    assert (await fresh(ringing)).failure_stage == "our_fault"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refused_accept_is_a_failure_and_not_repeated(ringing: Call, openai: OpenAi, status: int) -> None:
    openai.statuses = [status]

    assert (await announce(**reference(ringing))).status_code == 200

    call = await fresh(ringing)
    assert len(openai.accepts) == 1
    assert (call.failure_stage, call.ai_session) == ("accept_refused", "closed")


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_busy_openai_is_asked_once_more_quickly(ringing: Call, openai: OpenAi, status: int) -> None:
    openai.statuses = [status, 200]

    await announce(**reference(ringing))

    assert len(openai.accepts) == 2
    assert (await fresh(ringing)).failure_stage == ""


async def test_a_conflict_means_that_the_call_was_accepted_before(ringing: Call, openai: OpenAi) -> None:
    openai.statuses = [409]

    await announce(**reference(ringing))

    session = await in_db(AiSession.objects.get)()
    assert session.accepted_at is not None
    assert (await fresh(ringing)).failure_stage == ""


async def test_an_accept_whose_answer_is_lost_is_left_to_the_sideband_to_prove(ringing: Call, openai: OpenAi) -> None:
    openai.statuses = [None]

    await announce(**reference(ringing))

    session = await in_db(AiSession.objects.get)()
    assert session.accepted_at is not None
    assert "openai.accept_unanswered" in await in_db(kinds)(ringing)


async def test_nothing_of_an_unreadable_call_is_lost(openai: OpenAi) -> None:
    odd = announcement()
    odd["data"]["sip_headers"] = [{"name": "From", "value": "\u0000<<<"}]

    assert (await deliver(json.dumps(odd))).status_code == 200

    call = await in_db(Call.objects.get)()
    assert (call.from_number, call.to_number == OUR_NUMBER) == ("", False)
