"""Documents keep their shape and tokens open nothing but their own door, whatever stands in words and addresses."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callops.calls.correlation import sign, signed_reference
from callops.core.ids import new_token
from callops.providers.twilio import documents
from callops.providers.twilio.documents import AiDial, HumanDial
from tests.fuzzing import EXAMPLES
from tests.people.test_table import House
from tests.rows import OUR_NUMBER
from tests.webhooks.carrier import AI_LEG, ask

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AT_THE_DOOR = settings(
    max_examples=max(EXAMPLES // 4, 10),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
hostile = st.text(max_size=80) | st.sampled_from(
    [
        "</Say><Dial>+19005550100</Dial>",
        "]]><Hangup/>",
        "&lt;&#0;&bogus;",
        "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
        "+15550100\r\nRefer-To: <sip:evil@example.com>",
        "sip:a@b?Route=%3Csip:evil%3E",
        "\ud800",
        "\x00\x0b\ufffe",
    ]
)
URL = "https://calls.example.com/twiml/x?via=refer&step=0"
TOKEN_CHARACTERS = string.ascii_letters + string.digits + "_-"


def shape(document: str) -> list[str]:
    """The elements of a document, in order."""
    return [element.tag for element in ElementTree.fromstring(document).iter()]


@given(hostile)
def test_words_stay_words_in_a_document(words: str) -> None:

    assert shape(documents.ask_for_key(words, URL)) == ["Response", "Gather", "Say", "Hangup"]
    assert shape(documents.apology(words)) == ["Response", "Pause", "Say", "Hangup"]
    assert shape(documents.hang_up(words)) == ["Response", *(["Say"] if words else []), "Hangup"]


@given(hostile, hostile)
def test_addresses_and_headers_of_a_dial_stay_what_they_are(target: str, value: str) -> None:
    for uri in (target, f"sip:{target}@example.com", f"tel:+{target}"):
        try:
            text = documents.dial_human(HumanDial(uri, action_url=URL, status_url=URL))
        except ValueError:
            continue
        dial = ElementTree.fromstring(text)[0]
        assert [child.text for child in dial] == [uri.removeprefix("tel:")]
    try:
        text = documents.dial_ai(
            AiDial("sip:p@x", headers=(("X-A", value),), action_url=URL, refer_url=URL, status_url=URL)
        )
    except ValueError:
        return
    assert shape(text) == ["Response", "Dial", "Sip"]
    assert "".join(ElementTree.fromstring(text).itertext()).count("=") == 1


@given(st.text(max_size=40), st.text(max_size=80), st.integers(-7200, 7200))
def test_only_what_we_signed_names_a_call(reference: str, made_up: str, age_s: int) -> None:
    then = NOON - timedelta(seconds=age_s)
    ours = sign(reference, key="k", at=then)

    assert signed_reference(reference, made_up, key="k", now=NOON) is None
    assert signed_reference(reference + "x", ours, key="k", now=NOON) is None
    assert signed_reference(reference, ours, key="other", now=NOON) is None
    assert signed_reference(reference, ours, key="k", now=NOON) == (reference or None if -60 <= age_s <= 3600 else None)


@given(st.data())
def test_a_signature_with_one_character_changed_is_none(data: st.DataObject) -> None:
    ours = sign("01ABC", key="k", at=NOON)
    place = data.draw(st.integers(0, len(ours) - 1))
    other = data.draw(st.characters().filter(lambda each: each != ours[place]))

    assert signed_reference("01ABC", ours[:place] + other + ours[place + 1 :], key="k", now=NOON) is None


def test_tokens_in_addresses_cannot_be_guessed() -> None:
    tokens = {new_token() for _ in range(1000)}

    assert len(tokens) == 1000
    assert all(len(token) >= 22 and set(token) <= set(TOKEN_CHARACTERS) for token in tokens)  # 128 bits and more


@pytest.mark.django_db
@AT_THE_DOOR
@given(st.data())
def test_another_token_opens_no_door_even_to_who_signs(house: House, data: st.DataObject) -> None:
    own = data.draw(st.sampled_from([house.call.token, house.attempt.token]))
    place = data.draw(st.integers(0, len(own) - 1))
    near = own[:place] + data.draw(st.sampled_from(TOKEN_CHARACTERS)) + own[place + 1 :]
    token = data.draw(st.just(near) | st.just(own[:place]) | st.text(TOKEN_CHARACTERS, min_size=1, max_size=60))
    way = data.draw(st.sampled_from(["calls/{}/leg", "calls/{}/refer", "transfers/{}", "transfers/{}/pressed"]))

    status = ask(f"/twiml/{way.format(token or '-')}", CallSid=AI_LEG).status_code

    assert status == 404 or token in (house.call.token, house.attempt.token)


@pytest.mark.django_db
@AT_THE_DOOR
@given(
    st.sampled_from(
        ["calls/{call}/refer", "calls/{call}/dial-ended", "calls/{call}/leg", "transfers/{attempt}", "inbound"]
    ),
    st.dictionaries(
        st.sampled_from(
            ["From", "To", "ReferTransferTarget", "DialCallStatus", "CallStatus", "SequenceNumber", "Timestamp"]
        ),
        hostile.filter(lambda text: text.isprintable()) | st.just(OUR_NUMBER),
    ),
    st.dictionaries(
        st.sampled_from(["via", "step", "screened", "waited", "mode"]), st.text("0123456789<>&-a", max_size=8)
    ),
)
def test_whatever_the_carrier_says_its_doors_answer_with_a_document(
    house: House, way: str, form: dict[str, str], query: dict[str, str]
) -> None:
    path = way.format(call=house.call.token, attempt=house.attempt.token)
    tail = urlencode(query)

    answer = ask(f"/twiml/{path}" + (f"?{tail}" if tail else ""), CallSid=AI_LEG, **form)

    assert answer.status_code in (200, 204)
    if answer.content:
        assert shape(answer.content.decode())[0] == "Response"


@pytest.fixture
def house(db: None) -> House:
    return House()
