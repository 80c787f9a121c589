"""The webhook: what it says, how it is signed, when it comes again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from callops.simulator.openai.webhook import signed
from tests.simulator.openai.theatre import ACCEPT, PROJECT, SECRET, SIP_URI, Theatre, open_theatre, until


def test_the_signer_makes_the_signatures_of_the_contract(contracts: Path) -> None:
    vector = json.loads((contracts / "openai/webhook-signature-vector.json").read_text())
    sent = vector["headers"]
    sent_at = datetime.fromtimestamp(int(sent["webhook-timestamp"]), UTC)

    one = signed(sent["webhook-id"], sent_at, vector["body"], [vector["secret"]])
    two = signed(sent["webhook-id"], sent_at, vector["body"], [vector["rotated_secret"], vector["secret"]])

    assert one == sent
    assert two["webhook-signature"] == vector["cases"][1]["webhook-signature"]


async def test_the_webhook_carries_the_headers_of_the_invite_in_order_and_case(theatre: Theatre) -> None:
    dialog = theatre.invite()
    await until(lambda: theatre.webhooks)

    headers, text = theatre.webhooks[0]
    body = Webhook(SECRET).verify(text, dict(headers))
    assert headers["user-agent"].startswith("OpenAI/1.0")
    assert body["type"] == "realtime.call.incoming"
    assert body["data"]["call_id"] == dialog.call.id
    assert body["data"]["sip_media_security"] == "srtp"
    names = [header["name"] for header in body["data"]["sip_headers"]]
    assert names == ["Via", "Via", "From", "X-Twilio-CallSid", "X-dialedNumber"]


async def test_a_refused_webhook_comes_again_under_the_same_id_until_somebody_answers_2xx() -> None:
    async with open_theatre(webhook_retries_s=(0.01, 0.01, 0.01)) as theatre:
        theatre.statuses[:] = [500, 302]
        dialog = theatre.invite()
        assert (await dialog.post("accept", ACCEPT)).status == 200
        await until(lambda: dialog.carrier.heard("answered"))

        assert len({headers["webhook-id"] for headers, _ in theatre.webhooks}) == 1
        assert [entry["status"] for entry in theatre.recorded("webhook.answered")] == [500, 302, 200]


async def test_a_duplicate_comes_after_the_2xx_with_the_same_id(theatre: Theatre) -> None:
    theatre.invite(webhook="duplicate")
    await until(lambda: len(theatre.webhooks) == 2)

    first, second = (headers["webhook-id"] for headers, _ in theatre.webhooks)
    assert first == second


async def test_the_call_connects_only_after_accept_and_the_answer_to_the_webhook() -> None:
    async with open_theatre(webhook_retries_s=(0.05,)) as theatre:
        theatre.statuses[:] = [503]
        dialog = theatre.invite()
        await dialog.post("accept", ACCEPT)
        order = [entry["kind"] for entry in theatre.stage.record]
        assert "sip.answered" not in order

        await until(lambda: dialog.carrier.heard("answered"))
        kinds = [(entry["kind"], entry.get("status")) for entry in theatre.stage.record]
        assert kinds.index(("sip.answered", None)) > kinds.index(("webhook.answered", 200))


async def test_a_late_webhook_is_about_a_dead_call() -> None:
    async with open_theatre(late_webhook_s=0.1, accept_deadline_s=0.03) as theatre:
        dialog = theatre.invite(webhook="late")
        await until(lambda: theatre.webhooks)

        reply = await dialog.post("accept", ACCEPT)
        assert dialog.carrier.told == [("ringing", None), ("refused", 400)]
        assert (reply.status, reply.error["code"], reply.error["param"]) == (404, "call_id_not_found", "")


@pytest.mark.parametrize(
    ("scenario", "code"), [({"webhook": "never"}, 400), ({"sip_refuses": 503}, 503)], ids=["never", "refuses"]
)
async def test_without_a_webhook_the_invite_is_refused(theatre: Theatre, scenario: dict[str, Any], code: int) -> None:
    dialog = theatre.invite(**scenario)
    await until(lambda: dialog.carrier.heard("refused"))

    assert dialog.carrier.told[-1] == ("refused", code)
    assert theatre.webhooks == []


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("sip:proj_SomebodyElse0000000000001@sip.api.openai.com;transport=tls", 404),
        (f"sip:{PROJECT}@sip.api.openai.com", 404),
        ("tel:+15550100", 404),
    ],
)
async def test_an_invite_that_no_project_takes_is_refused(theatre: Theatre, uri: str, code: int) -> None:
    dialog = theatre.invite(uri=uri)
    await until(lambda: dialog.carrier.told)

    assert dialog.carrier.told == [("refused", code)]


async def test_a_garbled_contact_is_forbidden(theatre: Theatre) -> None:
    contact = ("Contact", "<sip:x@192.0.2.24;transport=tls;transport=tls>")
    dialog = theatre.invite(uri=SIP_URI, headers=(contact,))
    await until(lambda: dialog.carrier.told)

    assert dialog.carrier.told == [("refused", 403)]
