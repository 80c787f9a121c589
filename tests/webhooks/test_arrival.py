"""The carrier's first request of a call, and what a trunk asks when it could not reach the AI."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import Resolver404, resolve

from callops.calls import intake
from callops.calls.correlation import signed_reference
from callops.calls.kinds import Kind
from callops.calls.models import Call, Leg, Line
from callops.calls.words import FailureStage, Lane, Policy, Session, State, Topology
from callops.core import clock
from callops.core.config import config
from callops.dashboard.wording import sentence
from callops.transfers import steps
from tests.rows import CALLER, OUR_NUMBER, body_of, kinds, make_attempt, make_call, make_destination, make_line
from tests.webhooks.carrier import HUMAN_LEG, Caller, Document, ask, document

pytestmark = pytest.mark.django_db

RECOVERY = "/twiml/inbound?mode=recovery"


@pytest.fixture
def caller() -> Caller:
    second = make_destination("oncall", uri="tel:+15550112", label="On call")
    first = make_destination("frontdesk", uri="tel:+15550111", label="Front desk", next=second)
    make_line(fallback=first)
    return Caller()


def path(url: str) -> str:
    assert url.startswith(config().public_url)
    return url.removeprefix(config().public_url).partition("?")[0]


class TestInbound:
    """The first request of a call."""

    def test_the_answer_dials_the_ai_and_the_call_is_on_the_board(self, caller: Caller) -> None:
        answer = caller.rings()

        call = caller.call
        assert answer.dials_the_ai
        assert (call.state, call.from_number, call.line.name) == (State.CONNECTING, CALLER, "Northline support")
        assert kinds(call) == ["carrier.inbound", "us.dialled_ai"]
        assert (call.webhook_due_at - call.ai_dialled_at).total_seconds() == config().webhook_deadline_s

    def test_the_dial_gives_a_failed_refer_back_to_the_ai_and_does_not_ring_for_ever(self, caller: Caller) -> None:
        dial = caller.rings().dial

        assert (dial.attrib["answerOnBridge"], dial.attrib["timeout"]) == ("true", "8")
        assert dial.attrib["method"] == dial.attrib["referMethod"] == "POST"

    def test_the_sip_uri_names_the_project_and_carries_our_signed_reference(self, caller: Caller) -> None:
        answer = caller.rings()

        settings = config()
        assert answer.noun.text.startswith(f"sip:{settings.openai_project_id}@{settings.openai_sip_host}?")
        headers = answer.sip_headers
        now = clock.now()
        reference, signature = headers["X-Callops-Ref"], headers["X-Callops-Sig"]
        assert signed_reference(reference, signature, key=settings.secret_key, now=now) == caller.call.pk

    def test_every_address_of_the_document_is_ours_and_answers(self, caller: Caller) -> None:
        urls = caller.rings().urls

        assert len(urls) == 3 + 1 + 2, "action, REFER and leg; the second try's leg; the fallback's and its next one's"
        for url in urls:
            try:
                resolve(path(url))
            except Resolver404:
                pytest.fail(f"nobody answers at {url}")
            assert ask(url, **caller.about).status_code in (200, 204, 410)

    def test_the_addresses_cannot_be_guessed(self, caller: Caller) -> None:
        caller.rings()

        for name in ("leg", "refer", "dial-ended", "rescue-leg", "rescue-ended"):
            assert ask(f"/twiml/calls/{caller.call.pk}/{name}", **caller.about).status_code == 404
        for name in ("", "/leg", "/ended"):
            assert ask(f"/twiml/transfers/unknown{name}", **caller.about).status_code == 404

    def test_an_unknown_number_is_told_so_politely(self, caller: Caller) -> None:
        answer = caller.rings(To="+15550177")

        assert answer.verbs == ["Say", "Hangup"]
        assert "not in service" in answer.root.findtext("Say")
        assert kinds(caller.call) == ["carrier.inbound"]
        assert caller.call.carrier_check_at is not None

    def test_get_is_as_good_as_post(self, caller: Caller) -> None:
        answer = caller.rings(method="GET", From="%2B15550123", To="%2B15550100")

        assert answer.dials_the_ai
        assert caller.call.from_number == CALLER

    @pytest.mark.parametrize("withheld", ["anonymous", "+266696687", "", "Restricted"])
    def test_a_withheld_number_is_no_number(self, caller: Caller, withheld: str) -> None:
        caller.rings(From=withheld)

        assert caller.call.from_number == ""

    @pytest.mark.parametrize("delivery", ["token-a", None], ids=["by token", "without a token"])
    def test_a_repeated_delivery_gets_the_same_answer_and_is_one_event(
        self, caller: Caller, delivery: str | None
    ) -> None:
        first = caller.rings(delivery=delivery)
        again = caller.rings(delivery=delivery)

        assert again.text == first.text
        assert kinds(caller.call) == ["carrier.inbound", "us.dialled_ai"]

    def test_all_parameters_are_kept_even_strange_ones(self, caller: Caller) -> None:
        caller.rings(FromCity="", SomethingNew="\u00e9\x00")

        params = body_of(caller.call, "carrier.inbound")["params"]
        assert (params["FromCity"], params["SomethingNew"]) == ("", "\u00e9\ufffd")

    def test_two_callers_are_two_calls(self, caller: Caller) -> None:
        caller.rings()
        Caller(2).rings()

        assert Call.objects.count() == 2


class TestRecovery:
    """A trunk could not reach OpenAI's SIP side and asks us where the caller should go (contract Twilio 4)."""

    @pytest.fixture(autouse=True)
    def line(self, caller: Caller) -> None:
        Line.objects.update(topology=Topology.TRUNK, transfer_policy=Policy.REFER_ONLY)

    def recovers(self, caller: Caller, **params: Any) -> Document:
        return document(RECOVERY, **{**caller.about, "CallStatus": "ringing", **params})

    def test_the_caller_is_led_to_the_fallback_and_not_to_the_ai_again(self, caller: Caller) -> None:
        answer = self.recovers(caller)

        assert answer.number == "+15550111"
        assert "rescue-ended" in answer.action
        call = caller.call
        assert kinds(call) == ["carrier.recovery", "us.rescued"]
        assert body_of(call, "us.rescued") == {"label": "Front desk", "why": "The trunk could not reach the AI."}
        assert (call.ai_dialled_at, call.webhook_due_at) == (None, None)

    def test_the_call_is_on_the_board_at_once_with_what_went_wrong(self, caller: Caller) -> None:
        self.recovers(caller)

        call = caller.call
        assert call in Call.objects.on_board(clock.now())
        assert (call.state, call.from_number, call.line.name) == (State.RINGING, CALLER, "Northline support")
        assert (call.topology, call.failure_stage) == (Topology.TWIML, FailureStage.SIP_REJECTED)
        assert "could not reach the AI" in sentence("carrier.recovery", body_of(call, "carrier.recovery"))

    def test_a_rescued_caller_who_talks_to_a_human_can_be_redirected(self, caller: Caller) -> None:
        answer = self.recovers(caller)

        caller.leg(answer.status_url, HUMAN_LEG, "in-progress", sequence=2)

        assert caller.call.state == State.WITH_HUMAN
        assert steps.is_steerable(caller.call)
        assert make_attempt(caller.call, asked_by="supervisor1").policy == Policy.REDIRECT_ONLY

    def test_a_trunk_call_that_openai_announced_is_the_same_call(self, caller: Caller) -> None:
        known = make_call(
            Line.objects.get(),
            topology=Topology.TRUNK,
            carrier_sid=caller.sid,
            state=State.ENDED,
            ai_session=Session.CLOSED,
            answered_at=None,
            ended_at=clock.now(),
            ended_by="unknown",
        )
        told = {Kind.OPENAI_WEBHOOK: {}, Kind.US_ACCEPT_ASKED: {}, Kind.OPENAI_ACCEPT_ANSWERED: {"status": 403}}
        for kind, body in told.items():
            intake.record(known.pk, at=clock.now(), kind=kind, lane=Lane.OPENAI, body=body)

        answer = self.recovers(caller)

        call = caller.call
        assert answer.number == "+15550111"
        assert (call.pk, call.topology, call.failure_stage) == (known.pk, "twiml", FailureStage.ACCEPT_REFUSED)
        assert (call.state, call.ended_at, call.ended_by) == (State.CONNECTING, None, "")
        assert Leg.objects.get(call=call).sid == caller.sid

    def test_without_a_fallback_the_caller_hears_an_apology(self, caller: Caller) -> None:
        Line.objects.update(fallback=None)

        answer = self.recovers(caller)

        assert answer.verbs == ["Pause", "Say", "Hangup"]
        assert body_of(caller.call, "us.rescued")["label"] == "an apology"
        assert caller.call.carrier_check_at is not None

    def test_when_the_fallback_does_not_answer_the_next_is_rung_and_then_nobody_is_left(self, caller: Caller) -> None:
        first = self.recovers(caller)

        second = caller.dial_ends(first.action, "no-answer", child=HUMAN_LEG)
        last = caller.dial_ends(second.action, "busy", child="CA" + "c" * 32)

        assert (second.number, last.verbs) == ("+15550112", ["Pause", "Say", "Hangup"])

    def test_an_unknown_number_is_told_so_politely(self, caller: Caller) -> None:
        answer = self.recovers(caller, To="+15550177")

        assert answer.verbs == ["Say", "Hangup"]
        assert kinds(caller.call) == ["carrier.recovery"]

    def test_the_number_is_found_in_the_trunks_own_spelling(self, caller: Caller) -> None:
        self.recovers(caller, To=f"sip:{OUR_NUMBER}@public-vip.us1.twilio.com")

        assert (caller.call.to_number, caller.call.line.number) == (OUR_NUMBER, OUR_NUMBER)

    @pytest.mark.parametrize("delivery", ["token-a", None], ids=["by token", "without a token"])
    def test_a_repeated_request_gets_the_same_answer_and_is_one_event(
        self, caller: Caller, delivery: str | None
    ) -> None:
        first = self.recovers(caller, delivery=delivery)
        again = self.recovers(caller, delivery=delivery)

        assert again.text == first.text
        assert kinds(caller.call) == ["carrier.recovery", "us.rescued"]

    def test_a_caller_who_left_meanwhile_is_not_brought_back_by_a_late_request(self, caller: Caller) -> None:
        first = self.recovers(caller)
        caller.dial_ends(first.action, "no-answer", child=HUMAN_LEG, CallStatus="completed")
        over = caller.call

        self.recovers(caller)

        assert over.ended_at is not None
        assert (caller.call.state, caller.call.ended_at) == (State.ENDED, over.ended_at)
