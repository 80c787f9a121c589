"""Every kind of event and of evidence has a sentence, whatever its body holds or lacks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callops.calls.kinds import Kind
from callops.dashboard import phrases, proof, wording
from callops.transfers.models import Mechanism
from callops.transfers.verdict import FactKind

KEYS = (
    *("absent", "again", "age_s", "because", "bridged", "by", "code", "confidence", "deadline_s", "dial_status"),
    *("duration_ms", "error", "error_code", "heard_ms", "key", "label", "message", "method", "name", "output"),
    *(
        "breaker",
        "policy",
        "reason",
        "redirect_first",
        "role",
        "sip_code",
        "speaker",
        "status",
        "target",
        "type",
        "via",
        "what",
        "why",
    ),
    "request_id",
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)  # fmt: skip
BODIES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_sentence_even_with_an_empty_body(kind: Kind) -> None:
    words = wording.sentence(kind, {})

    assert kind in wording.SENTENCES
    assert words.endswith(".")
    assert words[0].isupper()
    assert "None" not in words


@pytest.mark.parametrize("kind", list(FactKind))
def test_every_fact_has_a_testimony_even_with_no_details(kind: FactKind) -> None:
    assert kind in proof.TESTIMONIES
    assert proof.testimony(kind, {}).endswith(".")


@settings(max_examples=60, deadline=None)
@given(BODIES)
def test_no_body_from_outside_leaves_the_page_without_words(body: dict[str, Any]) -> None:
    for kind in Kind:
        assert wording.sentence(kind, body)
    for fact in FactKind:
        assert proof.testimony(fact, body)
        proof.particulars(body)


@pytest.mark.parametrize("kind", list(Kind))
def test_the_timeline_never_claims_a_mechanism_by_name(kind: Kind) -> None:
    words = wording.sentence(kind, {"via": "redirect", "status": 200, "label": "Front desk"}).casefold()

    assert not [label for label in Mechanism.labels if label.casefold() in words]


def test_a_kind_from_the_future_is_named_as_it_is() -> None:
    assert wording.sentence("carrier.new_thing", {}) == "Something new happened: carrier.new_thing."


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        (
            Kind.OPENAI_REFER_ANSWERED,
            {"status": 200, "absent": ["x-request-id"], "duration_ms": 616},
            "The REFER we asked OpenAI for was answered 200 without a request id after 616 ms.",
        ),
        (
            Kind.CARRIER_REDIRECT_ANSWERED,
            {"status": 400, "error_code": 21220},
            "Our request to redirect the caller was refused with 400/21220.",
        ),
        (Kind.CARRIER_LEG, {"role": "human", "status": "no-answer"}, "The human's leg was not answered."),
        (Kind.CLOCK_REFER_DEADLINE, {"deadline_s": 4}, "The carrier has not seen the REFER in 4.0 s."),
        (
            Kind.OPERATOR_TRANSFER_ASKED,
            {
                "by": "anna",
                "label": "Front desk",
                "redirect_first": True,
                "breaker": "REFER has been silent for 7 of 7",
            },
            "anna asked to move the caller to Front desk (redirect first: REFER has been silent for 7 of 7).",
        ),
        (Kind.CARRIER_HUMAN_DIAL_ENDED, {"label": "Front desk", "dial_status": "busy"}, "Front desk was busy."),
    ],
)
def test_sentences_say_what_happened(kind: Kind, body: dict[str, Any], words: str) -> None:
    assert wording.sentence(kind, body) == words


def test_an_absent_request_id_is_a_particular_of_the_evidence() -> None:
    assert ("request id", "absent") in proof.particulars({"status": 200, "request_id": None, "duration_ms": 616})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"code": 13802},
            "The REFER arrived at Twilio, which ignored it because the dial had no referUrl (alert 13802).",
        ),
        (
            {"code": 32218, "text": "SIP: Transfer not allowed"},
            (
                "The REFER arrived at Twilio, and the trunk refused it because it does not allow this transfer "
                "(alert 32218)."
            ),
        ),
        ({"code": 32011}, "Twilio could not talk to the AI's SIP endpoint (alert 32011)."),
        ({"code": 11200, "text": "HTTP retrieval failure."}, "Twilio raised alert 11200: HTTP retrieval failure."),
        ({"code": 11200}, "Twilio raised alert 11200."),
    ],
)
def test_an_alert_reads_in_plain_words(body: dict[str, Any], words: str) -> None:
    assert wording.sentence(Kind.CARRIER_ALERT, body) == words


def test_evidence_tells_an_ignored_refer_from_a_refused_one() -> None:
    assert "ignored" in proof.testimony(FactKind.REFER_REFUSED, {"code": 13802})
    assert "refused" in proof.testimony(FactKind.REFER_REFUSED, {"code": 32218})


@pytest.mark.parametrize("policy", ["refer_then_redirect", "redirect_only", "refer_only"])
def test_a_trunk_call_says_before_the_click_that_there_is_no_fallback(policy: str) -> None:
    assert phrases.plan(policy, "trunk", 4.0) == (
        "A trunk call cannot be steered by the carrier: REFER only, and there is no fallback. "
        "Only a REFER can move this caller, and the carrier may never show whether one arrived. "
        "If nothing is seen after 4.0 s, you decide what happens next."
    )


@pytest.mark.parametrize("policy", ["refer_then_redirect", "redirect_only", "refer_only"])
def test_no_other_call_is_said_to_be_without_a_fallback(policy: str) -> None:
    assert "no fallback" not in phrases.plan(policy, "twiml", 4.0)
