"""The carrier's doors for a call and its AI leg."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from callops.calls import intake
from callops.calls.kinds import Kind
from callops.calls.models import Call, Destination, Event, Leg, Line
from callops.calls.words import FailureStage, Lane, State
from callops.core import clock
from callops.core.config import config
from callops.transfers import steps
from callops.transfers.models import TransferAttempt
from tests.rows import at, body_of, kinds, make_attempt, make_destination, make_line, make_session
from tests.webhooks.carrier import AI_LEG, HUMAN_LEG, Caller, Document, ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> Caller:
    second = make_destination("oncall", uri="tel:+15550112", label="On call")
    first = make_destination("frontdesk", uri="tel:+15550111", label="Front desk", next=second)
    make_line(fallback=first)
    return Caller()


def path(url: str) -> str:
    assert url.startswith(config().public_url)
    return url.removeprefix(config().public_url).partition("?")[0]


class TestLegStatus:
    """The AI leg's status callbacks, in whatever order they arrive."""

    WORDS = ("initiated", "ringing", "in-progress", "completed")

    def test_shuffled_and_repeated_callbacks_never_move_a_state_backwards(self, caller: Caller) -> None:
        answer = caller.rings()
        chance = random.Random(7)
        deliveries = [*enumerate(self.WORDS)] * 3
        chance.shuffle(deliveries)
        ranks = []
        for sequence, word in deliveries:
            caller.leg(answer.status_url, AI_LEG, word, sequence=sequence)
            ranks.append(self.WORDS.index(caller.status_of(AI_LEG)))

        assert ranks == sorted(ranks)
        assert caller.status_of(AI_LEG) == "completed"
        assert kinds(caller.call).count("carrier.leg") == 4

    def test_every_order_ends_the_same(self, caller: Caller) -> None:
        ends = set()
        for number, order in enumerate(itertools.permutations(range(4)), start=10):
            one = Caller(number)
            answer = one.rings()
            for sequence in order:
                one.leg(answer.status_url, f"CAai{number}", self.WORDS[sequence], sequence=sequence)
            call = one.call
            ends.add((one.status_of(f"CAai{number}"), call.state, call.ai_leg_sid == f"CAai{number}"))

        assert ends == {("completed", State.CONNECTING, True)}

    def test_the_same_status_with_another_token_is_the_same_fact(self, caller: Caller) -> None:
        answer = caller.rings()

        for token in ("one", "two"):
            caller.leg(answer.status_url, AI_LEG, "ringing", sequence=1, delivery=token)

        assert kinds(caller.call).count("carrier.leg") == 1

    def test_an_unknown_status_is_kept_and_moves_nothing(self, caller: Caller) -> None:
        answer = caller.rings()

        caller.leg(answer.status_url, AI_LEG, "teleported", sequence=1)

        assert body_of(caller.call, "carrier.leg")["status"] == "teleported"
        assert not Leg.objects.filter(sid=AI_LEG).exists()

    def test_the_numbers_own_callback_ends_the_call(self, caller: Caller) -> None:
        caller.live()

        caller.leg("/twiml/status", caller.sid, "completed", sequence=0)

        assert caller.call.state == State.ENDED

    def test_a_callback_about_nobody_is_taken_and_changes_nothing(self) -> None:
        response = ask("/twiml/status", CallSid="CAstranger", CallStatus="completed")

        assert response.status_code == 204
        assert not Event.objects.exists()


class TestDialEnded:
    """The AI's dial ended: who decided that decides where the caller goes."""

    def test_a_caller_who_is_gone_is_let_go(self, caller: Caller) -> None:
        answer = caller.live()

        after = caller.dial_ends(answer.action, CallStatus="completed")

        assert after.verbs == []
        assert (caller.call.state, caller.call.ended_by) == (State.ENDED, "caller")

    def test_a_caller_who_is_gone_ends_the_transfer_too(self, caller: Caller) -> None:
        answer = caller.live()
        attempt = make_attempt(caller.call)

        caller.dial_ends(answer.action, CallStatus="completed")

        attempt.refresh_from_db()
        assert (attempt.state, attempt.outcome, attempt.mechanism) == ("settled", "caller_left", "none")

    def test_an_end_nobody_decided_rings_the_fallback(self, caller: Caller) -> None:
        answer = caller.live()

        after = caller.dial_ends(answer.action)

        assert after.number == "+15550111"
        assert body_of(caller.call, "us.rescued")["label"] == "Front desk"

    def test_the_fallbacks_next_is_rung_and_after_the_last_an_apology_said(self, caller: Caller) -> None:
        answer = caller.live()
        first = caller.dial_ends(answer.action)

        second = caller.dial_ends(first.action, "no-answer", child=HUMAN_LEG)
        last = caller.dial_ends(second.action, "busy", child="CAanother")

        assert second.number == "+15550112"
        assert last.verbs == ["Pause", "Say", "Hangup"]

    def test_a_repeated_end_of_the_fallbacks_dial_gets_the_same_answer_once_told(self, caller: Caller) -> None:
        first = caller.dial_ends(caller.live().action)

        answers = {caller.dial_ends(first.action, "busy", child=HUMAN_LEG, delivery="same").text for _ in range(2)}

        assert len(answers) == 1
        assert kinds(caller.call).count("us.rescued") == 2

    def test_a_rescued_caller_is_with_a_human_and_says_goodbye_after_the_talk(self, caller: Caller) -> None:
        rescue = caller.dial_ends(caller.live().action)
        caller.leg(rescue.status_url, HUMAN_LEG, "in-progress", sequence=2)
        assert caller.call.state == State.WITH_HUMAN

        after = caller.dial_ends(rescue.action, "completed", child=HUMAN_LEG)

        assert after.verbs == ["Hangup"]
        assert caller.call.end_wish == "human"

    def test_an_answered_assistant_whose_leg_ends_by_itself_is_an_incident_told_once(self, caller: Caller) -> None:
        answer = caller.live()

        for _ in range(2):
            caller.dial_ends(answer.action, delivery="same")

        assert kinds(caller.call).count("us.ai_left") == 1
        assert body_of(caller.call, "us.ai_left")["why"] == "nobody had asked for it"
        assert caller.call.ai_left_at is not None

    @pytest.mark.parametrize(
        "told",
        [{"CallStatus": "completed"}, {"status": "failed", "DialSipResponseCode": "400"}],
        ids=["left", "refused"],
    )
    def test_a_caller_who_left_and_an_assistant_who_never_answered_are_no_such_incident(
        self, caller: Caller, told: dict[str, str]
    ) -> None:
        caller.dial_ends(caller.live().action, **told)

        assert "us.ai_left" not in kinds(caller.call)

    def test_a_transfer_and_an_end_on_purpose_are_no_such_incident(self, caller: Caller) -> None:
        answer = caller.live()
        make_attempt(caller.call)
        caller.dial_ends(answer.action)
        TransferAttempt.objects.all().delete()
        Call.objects.update(end_wish="assistant", has_open_transfer=False)
        caller.dial_ends(answer.action)

        assert "us.ai_left" not in kinds(caller.call)

    def test_an_assistant_whose_hour_is_over_says_so(self, caller: Caller) -> None:
        answer = caller.live()
        make_session(caller.call, opened_at=clock.now() - timedelta(minutes=60))

        caller.dial_ends(answer.action)

        assert "60 minutes" in body_of(caller.call, "us.ai_left")["why"]

    @pytest.mark.parametrize("asked", [False, True], ids=["nothing sent yet", "redirect in flight"])
    def test_bug_a_fallbacks_human_hung_up_and_the_caller_was_dropped_out_of_an_open_transfer(
        self, caller: Caller, asked: bool
    ) -> None:
        rescue = caller.dial_ends(caller.live().action)
        caller.leg(rescue.status_url, HUMAN_LEG, "in-progress", sequence=2)
        attempt = make_attempt(caller.call, Destination.objects.get(name="frontdesk"))
        TransferAttempt.objects.update(redirect_asked_at=clock.now() if asked else None)

        after = caller.dial_ends(rescue.action, "completed", child=HUMAN_LEG)

        attempt.refresh_from_db()
        assert after.verbs == (["Pause", "Redirect"] if asked else ["Dial"])
        assert attempt.mechanism == ("unknown" if asked else "dial_action")
        assert caller.call.end_wish == ""

    def test_without_a_fallback_the_caller_hears_an_apology(self, caller: Caller) -> None:
        answer = caller.live()
        Destination.objects.all().delete()

        assert caller.dial_ends(answer.action).verbs == ["Pause", "Say", "Hangup"]

    def test_a_call_ended_on_purpose_is_let_go(self, caller: Caller) -> None:
        answer = caller.live()
        Call.objects.update(end_wish="assistant")

        assert caller.dial_ends(answer.action).verbs == ["Hangup"]

    @pytest.mark.parametrize(
        ("told", "stage"),
        [
            ({"status": "failed", "DialSipResponseCode": "400"}, FailureStage.SIP_REJECTED),
            ({"status": "failed", "DialSipResponseCode": "503"}, FailureStage.SIP_REJECTED),
            ({"status": "busy", "DialSipResponseCode": "603"}, FailureStage.SIP_REJECTED),
            ({"status": "no-answer", "DialSipResponseCode": "487"}, FailureStage.WEBHOOK_MISSING),
            ({"status": "no-answer"}, FailureStage.WEBHOOK_MISSING),
            ({"status": "completed"}, ""),
            ({"status": "completed", "DialBridged": "false"}, ""),
            ({"status": "no-answer", "CallStatus": "completed"}, FailureStage.CALLER_LEFT),
        ],
    )
    def test_a_dial_that_never_reached_the_ai_says_where_it_died(
        self, caller: Caller, told: dict[str, str], stage: str
    ) -> None:
        Line.objects.update(ai_retries=0, rescue_in_document=False)
        answer = caller.rings()

        after = caller.dial_ends(answer.action, **told)

        assert caller.call.failure_stage == stage
        assert after.number == (None if "CallStatus" in told else "+15550111")

    def test_a_caller_to_whom_nothing_was_said_gets_the_ai_once_more_and_then_the_fallback(
        self, caller: Caller
    ) -> None:
        Line.objects.update(rescue_in_document=False)
        answer = caller.rings()

        again = caller.dial_ends(answer.action, "failed", DialSipResponseCode="400")
        then = caller.dial_ends(again.action, "failed", child="CA" + "c" * 32, DialSipResponseCode="400")

        assert again.dials_the_ai
        assert again.sip_headers["X-Callops-Ref"] == caller.call.pk
        assert then.number == "+15550111"
        assert caller.call.failure_stage == FailureStage.SIP_REJECTED

    @pytest.mark.parametrize("delivery", ["same", None], ids=["by token", "without a token"])
    def test_a_repeated_end_of_the_first_dial_gets_the_ai_both_times(
        self, caller: Caller, delivery: str | None
    ) -> None:
        answer = caller.rings()

        answers = {
            caller.dial_ends(answer.action, "failed", delivery=delivery, DialSipResponseCode="400").text
            for _ in range(2)
        }

        assert len(answers) == 1
        assert kinds(caller.call).count("us.dialled_ai") == 2

    def test_the_document_itself_goes_on_to_the_ai_again_and_to_the_fallback_while_we_are_down(
        self, caller: Caller
    ) -> None:
        answer = caller.rings()

        assert answer.dial.attrib["sequential"] == "true"
        assert [noun.tag for noun in answer.dial] == ["Sip", "Sip", "Number", "Number"]
        assert answer.stands == ["+15550111", "+15550112"]

    def test_the_documents_own_fallback_is_a_human_and_its_end_a_goodbye(self, caller: Caller) -> None:
        answer = caller.rings()
        stand_url = answer.dial[2].attrib["statusCallback"]
        caller.leg(answer.status_url, AI_LEG, "failed", sequence=2, SipResponseCode="400")
        caller.leg(stand_url, HUMAN_LEG, "in-progress", sequence=2)
        assert caller.call.state == State.WITH_HUMAN

        after = caller.dial_ends(answer.action, "completed", child=HUMAN_LEG)

        assert after.verbs == ["Hangup"]
        assert caller.call.end_wish == "human"
        assert caller.call.failure_stage == FailureStage.SIP_REJECTED

    def test_the_documents_own_fallback_is_known_even_when_every_leg_callback_was_lost(self, caller: Caller) -> None:
        answer = caller.rings()

        after = caller.dial_ends(answer.action, "completed", child=HUMAN_LEG)

        assert after.verbs == ["Hangup"]

    def test_when_the_document_rang_everybody_in_vain_the_caller_hears_an_apology(self, caller: Caller) -> None:
        answer = caller.rings()
        for child, noun in zip("ab", list(answer.dial)[2:], strict=True):
            caller.leg(noun.attrib["statusCallback"], f"CA{child * 32}", "no-answer", sequence=2)

        after = caller.dial_ends(answer.action, "no-answer", child="CA" + "b" * 32)

        assert after.verbs == ["Pause", "Say", "Hangup"]

    def test_an_ai_that_announced_itself_and_was_never_answered_by_us_is_our_fault(self, caller: Caller) -> None:
        answer = caller.rings()
        intake.record(caller.call.pk, at=clock.now(), kind=Kind.OPENAI_WEBHOOK, lane=Lane.OPENAI)

        caller.dial_ends(answer.action, "failed", DialSipResponseCode="400")

        assert caller.call.failure_stage == FailureStage.OUR_FAULT

    @pytest.mark.parametrize("delivery", ["same", None], ids=["by token", "without a token"])
    def test_bug_a_repeated_rescue_is_told_once(self, caller: Caller, delivery: str | None) -> None:
        answer = caller.live()

        answers = {caller.dial_ends(answer.action, delivery=delivery).text for _ in range(2)}

        assert len(answers) == 1
        assert kinds(caller.call).count("carrier.dial_ended") == 1
        assert kinds(caller.call).count("us.rescued") == 1


class TestDialEndedDuringATransfer:
    """The AI's dial ended while somebody wants the caller moved (contract Twilio 3.3)."""

    @pytest.fixture
    def live(self, caller: Caller) -> Document:
        return caller.live()

    @pytest.fixture
    def attempt(self, caller: Caller, live: Document) -> TransferAttempt:
        return make_attempt(caller.call, Destination.objects.get(name="frontdesk"))

    def test_the_end_claims_an_open_transfer(self, caller: Caller, live: Document, attempt: TransferAttempt) -> None:
        after = caller.dial_ends(live.action)

        attempt.refresh_from_db()
        assert after.number == "+15550111"
        assert "via=dial_action" in after.action
        assert (attempt.mechanism, attempt.outcome) == ("dial_action", "pending")
        assert attempt.document_fetched_at is not None

    def test_bug_a_repeated_claim_gets_the_same_answer(
        self, caller: Caller, live: Document, attempt: TransferAttempt
    ) -> None:
        answers = {caller.dial_ends(live.action, delivery="same").text for _ in range(2)}

        assert len(answers) == 1
        assert kinds(caller.call).count("carrier.document") == 1

    def test_while_a_redirect_is_in_flight_the_caller_is_held(
        self, caller: Caller, live: Document, attempt: TransferAttempt
    ) -> None:
        TransferAttempt.objects.update(redirect_asked_at=clock.now(), redirect_tries=1)

        after = caller.dial_ends(live.action)

        attempt.refresh_from_db()
        assert after.verbs == ["Pause", "Redirect"]
        assert attempt.mechanism == "unknown"
        moved = caller.fetches(after.redirect)
        attempt.refresh_from_db()
        assert moved.number == "+15550111"
        assert attempt.mechanism == "dial_action"

    def test_the_end_of_the_ai_leg_that_we_asked_for_is_no_redirect_in_flight(
        self, caller: Caller, live: Document, attempt: TransferAttempt
    ) -> None:
        now = clock.now()
        TransferAttempt.objects.update(redirect_asked_at=now, redirect_tries=3, ai_leg_ended_at=now)

        assert caller.dial_ends(live.action).number == "+15550111"

    def test_after_a_refer_was_reported_the_end_of_the_ai_dial_steers_nothing(
        self, caller: Caller, live: Document, attempt: TransferAttempt
    ) -> None:
        caller.fetches(live.dial.attrib["referUrl"], ReferTransferTarget="tel:+15550111")

        assert caller.dial_ends(live.action).verbs == ["Pause", "Redirect"]

    def test_after_the_human_is_connected_the_end_of_the_ai_dial_does_not_rescue(
        self, caller: Caller, live: Document, attempt: TransferAttempt
    ) -> None:
        human = caller.fetches(live.dial.attrib["referUrl"], ReferTransferTarget="tel:+15550111")
        caller.leg(human.status_url, HUMAN_LEG, "in-progress", sequence=2)

        assert caller.dial_ends(live.action).verbs == ["Pause", "Redirect"]
        assert "us.rescued" not in kinds(caller.call)


class TestRefer:
    """The carrier received a REFER: the one proof that there was one."""

    @pytest.fixture
    def refer_url(self, caller: Caller) -> str:
        return caller.live().dial.attrib["referUrl"]

    def refer(self, caller: Caller, url: str, **params: Any) -> Document:
        return caller.fetches(url, ReferTransferTarget="<tel:+15550199>", **params)

    def test_it_is_the_proof_and_the_answer_dials_the_directorys_number(self, caller: Caller, refer_url: str) -> None:
        attempt = make_attempt(caller.call, Destination.objects.get(name="frontdesk"))

        answer = self.refer(caller, refer_url)

        attempt.refresh_from_db()
        assert answer.number == "+15550111"
        assert "via=refer" in answer.action
        assert "15550199" not in answer.text
        assert (attempt.mechanism, attempt.refer_seen_at is not None) == ("refer", True)
        assert attempt.evidence.get(kind="refer_seen").witness == "carrier"
        assert body_of(caller.call, "carrier.refer")["target"] == "tel:+15550199"

    @pytest.mark.parametrize("delivery", ["same", None], ids=["by token", "without a token"])
    def test_a_repeated_report_gets_the_same_answer_and_is_one_event(
        self, caller: Caller, refer_url: str, delivery: str | None
    ) -> None:
        attempt = make_attempt(caller.call)

        answers = {self.refer(caller, refer_url, delivery=delivery).text for _ in range(2)}

        assert len(answers) == 1
        assert kinds(caller.call).count("carrier.refer") == 1
        assert attempt.evidence.filter(kind="refer_seen").count() == 1

    def test_without_a_transfer_the_carrier_gives_the_caller_back(self, caller: Caller, refer_url: str) -> None:
        assert ask(refer_url, **caller.about, ReferTransferTarget="tel:+15550199").status_code == 410
        assert "carrier.refer" in kinds(caller.call)

    def test_a_cancelled_transfer_gives_the_caller_back_but_the_proof_is_kept(
        self, caller: Caller, refer_url: str
    ) -> None:
        attempt = make_attempt(caller.call)
        TransferAttempt.objects.update(state="settled", outcome="cancelled")

        assert ask(refer_url, **caller.about, ReferTransferTarget="tel:+15550199").status_code == 410
        assert attempt.evidence.filter(kind="refer_seen").count() == 1

    def test_bug_a_refer_after_the_deadline_of_refer_only_still_reaches_the_human_however_often_told(
        self, caller: Caller, refer_url: str
    ) -> None:
        attempt = make_attempt(caller.call, Destination.objects.get(name="frontdesk"), policy="refer_only")
        steps.claim_refer(attempt.pk, now=clock.now())
        steps.pass_deadline(attempt.pk, now=clock.now())
        attempt.refresh_from_db()
        assert (attempt.state, attempt.mechanism, attempt.outcome) == ("settled", "unknown", "unknown")

        first, again = (self.refer(caller, refer_url, delivery="same") for _ in range(2))

        attempt.refresh_from_db()
        assert first.number == again.number == "+15550111"
        assert (attempt.state, attempt.mechanism, attempt.outcome) == ("settled", "refer", "unknown")
        caller.leg(first.status_url, HUMAN_LEG, "in-progress", sequence=2)
        attempt.refresh_from_db()
        assert (attempt.mechanism, attempt.outcome) == ("refer", "connected")

    def test_bug_a_second_transfers_refer_is_no_repetition_of_the_first_at_a_carrier_without_tokens(
        self, caller: Caller, refer_url: str
    ) -> None:
        make_attempt(caller.call, now=at(0))
        self.refer(caller, refer_url, delivery=None)
        TransferAttempt.objects.update(state="settled", outcome="no_answer")
        Call.objects.update(state="live", has_open_transfer=False)
        second = make_attempt(caller.call, now=at(60))

        self.refer(caller, refer_url, delivery=None)

        second.refresh_from_db()
        assert second.mechanism == "refer"


def test_a_door_asked_by_get_steers_the_call_too() -> None:
    make_line()
    caller = Caller()
    answer = caller.live()

    after = caller.dial_ends(answer.action, method="GET", From="%2B15550123", To="%2B15550100")

    assert after.verbs == ["Pause", "Say", "Hangup"]


def test_nobody_without_the_carriers_signature_learns_anything() -> None:
    make_line()
    answer = Caller().rings()

    for url in answer.urls:
        assert Client().post(path(url), {"CallSid": "CA1"}).status_code == 403
