"""The record of a transfer on its page: tries, doubt, and what can be tried again."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call, Destination
from callops.calls.words import Lane
from callops.core.clock import now
from callops.dashboard import record
from callops.dashboard.phrases import again
from callops.transfers.hearing import Span
from callops.transfers.models import Evidence, TransferAttempt
from callops.transfers.tries import End, Method, Try
from tests.dashboard.conftest import MakeCall, make_attempt, make_line
from tests.rows import at

HTMX = {"HX-Request": "true"}
SETTLED = {"state": "settled", "mechanism": "none"}
TO_FRONTDESK = {"label": "Front desk", "uri": "tel:+15550111"}


def seen(attempt: TransferAttempt, kind: str, after_s: float, **detail: Any) -> None:
    """A fact of the attempt, so many seconds after it was asked for."""
    moment = attempt.requested_at + timedelta(seconds=after_s)
    event = timeline.note(attempt.call, at=moment, kind=Kind.CARRIER_LEG, lane=Lane.CARRIER)
    Evidence.objects.create(attempt=attempt, kind=kind, witness="carrier", at=moment, event=event, detail=detail)


def moved(call: Call) -> TransferAttempt:
    """A silent REFER, a redirect, a busy desk, and somebody on call."""
    attempt = make_attempt(call, state="settled", mechanism="redirect", outcome="connected")
    asked = attempt.requested_at
    desk = {"via": "redirect", "step": 0, **TO_FRONTDESK}
    on_call = {"via": "redirect", "step": 1, "label": "On call", "uri": "tel:+15550112"}
    seen(attempt, "asked", 0, by="supervisor", **{"with": "assistant"})
    seen(attempt, "refer_answered", 0.6, status=200, duration_ms=616, asked_at=asked.isoformat())
    redirect_at = (asked + timedelta(seconds=4)).isoformat()
    seen(attempt, "redirect_answered", 4.3, status=200, duration_ms=300, asked_at=redirect_at)
    seen(attempt, "document_fetched", 4.7, via="redirect")
    seen(attempt, "human_ringing", 5, **desk)
    seen(attempt, "human_dial_ended", 7.5, dial_status="busy", bridged=False, more=True, sip_code=486, **desk)
    seen(attempt, "human_ringing", 8, **on_call)
    seen(attempt, "human_connected", 11, **on_call)
    return attempt


def page(desk: Client, call: Call) -> str:
    return desk.get(f"/calls/{call.pk}/").content.decode()


def rows(text: str, attempt: TransferAttempt) -> list[str]:
    """The rows of the table of tries, without markup."""
    found = re.findall(rf'<tr id="try-{attempt.pk}-\d+">(.*?)</tr>', text, flags=re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in found]


def test_every_try_stands_in_the_table_with_its_codes_and_what_was_heard(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line())
    attempt = moved(call)

    refer, redirect, first, second = rows(page(desk, call), attempt)

    assert refer.startswith("REFER Front desk")
    assert "HTTP 200" in refer and "616 ms" in refer
    assert "the assistant kept the caller company 4.0 s" in refer
    assert redirect.startswith("Redirect Front desk") and "+4.0 s" in redirect
    assert first.startswith("Call Front desk") and "busy" in first and "SIP 486" in first and "rang 2.5 s" in first
    assert "ringing of Front desk 2.5 s" in first
    assert second.startswith("Call, second On call") and "connected" in second and "rang 3.0 s" in second
    assert second.endswith("talking to On call")


def test_the_table_names_no_mechanism_that_is_not_proven(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line())
    moved(call)

    text = page(desk, call)

    assert text.count("Twilio redirect") == 1
    assert "SIP REFER" not in text


def test_a_transfer_without_tries_has_no_table(desk: Client, make_call: MakeCall) -> None:
    call = make_call()
    attempt = make_attempt(call)

    assert f"tries-{attempt.pk}" not in page(desk, call)


def make_try(method: Method, end: End, **fields: Any) -> Try:
    return Try(**{"method": method, "number": 1, "end": end, **TO_FRONTDESK, **fields})


@pytest.mark.parametrize(
    ("each", "words", "codes", "lasted"),
    [
        (make_try(Method.REFER, End.WAITING), "REFER", "", ""),
        (
            make_try(Method.REDIRECT, End.REFUSED, number=2, http_status=400, error_code="21220", duration_ms=312),
            "Redirect, second",
            "HTTP 400, code 21220",
            "312 ms",
        ),
        (make_try(Method.END_AI_LEG, End.ANSWERED, number=7), "End of the AI's leg, number 7", "", ""),
        (make_try(Method.DIAL, End.RINGING), "Call", "", ""),
        (make_try(Method.DIAL, End.TALKING), "Call", "", "ring time not known"),
        (make_try(Method.DIAL, End.FAILED, sip_code=503, ring_ms=0), "Call", "SIP 503", "rang 0.0 s"),
    ],
)
def test_a_try_is_said_in_words(each: Try, words: str, codes: str, lasted: str) -> None:
    assert (record.method_words(each), record.codes(each), record.lasted(each)) == (words, codes, lasted)


def test_every_method_and_every_end_has_words() -> None:
    assert set(record.METHODS) == set(Method)
    assert set(record.END_CHIPS) == set(End)


def test_what_goes_on_has_no_length_yet() -> None:
    assert record.span_words(Span("silence", at(0), None)) == "silence"
    assert record.span_words(Span("silence", at(0), at(1.5))) == "silence 1.5 s"


def test_what_nobody_would_notice_is_left_out() -> None:
    blink, pause, rest = Span("a", at(0), at(0.05)), Span("b", at(0), at(1)), Span("c", at(0), None)

    assert record.noticeable([blink, pause, rest]) == [pause, rest]


def in_doubt(make_call: MakeCall) -> TransferAttempt:
    call = make_call(line=make_line(), state="transferring")
    attempt = make_attempt(call, state="running", redirect_asked_at=now(), redirect_answer="lost", redirect_tries=1)
    seen(attempt, "redirect_unanswered", 5, reason="timeout", duration_ms=5000)
    return attempt


def test_while_a_lost_answer_is_not_known_the_buttons_are_shut_and_the_page_says_why(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    attempt = in_doubt(make_call)

    text = page(desk, attempt.call)

    assert "The redirect&#x27;s answer was lost. Twilio is being asked whether it took effect." in text
    assert re.search(r'<button class="act" type="submit" disabled>Transfer</button>', text)
    assert re.search(r'/cancel" disabled>Cancel</button>', text)
    assert re.search(r'<button class="danger" type="submit"[^>]*(?<!disabled)>Hang up</button>', text)
    assert 'id="again"' not in text


def test_an_ordinary_open_transfer_can_be_cancelled(desk: Client, make_call: MakeCall, frontdesk: Destination) -> None:
    call = make_call(line=make_line(), state="transferring")
    make_attempt(call, state="running", refer_asked_at=now())

    assert re.search(r'/cancel">Cancel</button>', page(desk, call))


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("failed", "The transfer to Front desk failed."),
        ("no_answer", "Front desk did not answer."),
        ("busy", "Front desk was busy."),
        ("cancelled", "The transfer to Front desk was cancelled."),
        ("unknown", "Nobody knows whether the caller reached Front desk."),
    ],
)
def test_a_transfer_that_brought_nobody_can_be_tried_again(
    desk: Client, make_call: MakeCall, frontdesk: Destination, outcome: str, words: str
) -> None:
    call = make_call(line=make_line(), carrier_sid="CA0123")
    other = Destination.objects.create(name="oncall", label="On call", uri="tel:+15550112")
    before = make_attempt(
        call, **SETTLED, outcome=outcome, destination=other, target_label="Front desk", target_uri="tel:+15550112"
    )

    text = page(desk, call)
    key = re.findall(r'id="transfer-key" value="(\w+)"', text)[0]
    answers = [desk.post(f"/calls/{call.pk}/transfers/{before.pk}/again", {"key": key}, headers=HTMX) for _ in range(2)]

    assert words in text
    assert ">Try again</button>" in text
    assert re.search(r'<option value="oncall" selected>', text)
    assert [answer.status_code for answer in answers] == [200, 200]
    attempt = TransferAttempt.objects.exclude(pk=before.pk).get()
    assert (attempt.destination, attempt.key, attempt.policy) == (other, key, "refer_then_redirect")


@pytest.mark.parametrize(
    ("call_state", "attempt"),
    [
        ("live", {**SETTLED, "outcome": "connected"}),
        ("live", {**SETTLED, "outcome": "caller_left"}),
        ("ended", {**SETTLED, "outcome": "busy"}),
        ("with_human", {**SETTLED, "outcome": "busy"}),
        ("transferring", {"state": "running", "outcome": "pending"}),
    ],
)
def test_there_is_nothing_to_try_again_when_the_caller_is_elsewhere(
    desk: Client, make_call: MakeCall, frontdesk: Destination, call_state: str, attempt: dict[str, Any]
) -> None:
    call = make_call(line=make_line(), state=call_state)
    make_attempt(call, **attempt)

    assert 'id="again"' not in page(desk, call)


def test_an_unproven_refer_asks_the_operator_and_the_button_redirects(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = make_call(line=make_line(), carrier_sid="CA0123")
    unknown = {"state": "settled", "mechanism": "unknown", "outcome": "unknown", "policy": "refer_only"}
    before = make_attempt(call, **unknown, destination=frontdesk)

    text = page(desk, call)
    again_at = f"/calls/{call.pk}/transfers/{before.pk}/again"
    answer = desk.post(again_at, {"key": "k2", "policy": "redirect_only"})

    assert "The REFER is unproven. Redirect instead?" in text
    assert re.search(rf'formaction="{again_at}" name="policy" value="redirect_only"', text)
    assert answer.status_code == 303
    assert TransferAttempt.objects.exclude(pk=before.pk).get().policy == "redirect_only"


@pytest.mark.parametrize("fields", [{"topology": "trunk", "carrier_sid": "CA0123"}, {"carrier_sid": None}])
def test_a_caller_who_cannot_be_redirected_is_only_referred_again(make_call: MakeCall, fields: dict[str, Any]) -> None:
    call = Call(state="live", **fields)
    unknown = TransferAttempt(
        state="settled", outcome="unknown", mechanism="unknown", policy="refer_only", target_label="Front desk"
    )

    offered = again(call, unknown)

    assert offered is not None
    assert offered.button == "Try again"


def test_trying_again_while_another_is_open_or_without_a_key_is_refused_with_the_reason(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = make_call(line=make_line())
    before = make_attempt(call, **SETTLED, outcome="busy", destination=frontdesk)
    again_at = f"/calls/{call.pk}/transfers/{before.pk}/again"

    nameless = desk.post(again_at, {}, headers=HTMX)
    strange = desk.post(again_at, {"key": "k", "policy": "magic"}, headers=HTMX)
    desk.post(again_at, {"key": "k1"})
    second = desk.post(again_at, {"key": "k2"}, headers=HTMX)

    assert (nameless.status_code, strange.status_code, second.status_code) == (422, 422, 409)
    assert "still open" in second.content.decode()


def test_a_destination_that_left_the_directory_cannot_be_tried_again(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line())
    before = make_attempt(call, **SETTLED, outcome="busy", target_uri="tel:+15550119")

    answer = desk.post(f"/calls/{call.pk}/transfers/{before.pk}/again", {"key": "k"}, headers=HTMX)

    assert answer.status_code == 422
    assert "not in the directory" in answer.content.decode()


def test_those_who_may_only_watch_see_the_tries_but_cannot_try_again(
    client: Client, watcher: User, make_call: MakeCall, frontdesk: Destination
) -> None:
    client.force_login(watcher)
    call = make_call(line=make_line())
    attempt = moved(call)
    TransferAttempt.objects.update(outcome="busy")

    text = page(client, call)

    assert f"tries-{attempt.pk}" in text
    assert "Try again" not in text
    assert client.post(f"/calls/{call.pk}/transfers/{attempt.pk}/again", {"key": "k"}).status_code == 403


def test_a_cancel_that_lost_the_race_says_what_happened(
    desk: Client, make_call: MakeCall, frontdesk: Destination
) -> None:
    call = make_call(line=make_line(), state="with_human")
    because = "Front desk connected 12:00:09, the caller waited 9 s."
    attempt = make_attempt(call, state="settled", mechanism="redirect", outcome="connected", because=because)

    late = desk.post(f"/calls/{call.pk}/transfers/{attempt.pk}/cancel", headers=HTMX).content.decode()

    assert f'<p class="problem" role="alert">Too late to cancel: connected. {because}</p>' in late
