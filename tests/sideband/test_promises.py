"""What an assistant says counts as a promise of a transfer only when it says that it is doing it now."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callops.sideband.promises import LAST_TURNS, PHRASES, STEMS, Promises, Said, named_in, promise_in
from callops.sideband.signs import Signs
from tests.rows import at

PROMISES = """
I'll put you through to the front desk now, please stay on the line.
Of course. One moment, I am connecting you.
I'm connecting you to our medical priority desk now, please stay on the line.
Let me transfer you to a colleague who can help.
I'm going to connect you with billing.
Don't worry, I'll connect you right away.
You're being transferred now.
Please hold, you will be connected in a moment.
Connecting you now.
Sure, transferring you to sales.
I’ll pass you over to my colleague.
I will now forward your call to the front desk.
I've just transferred you.
Ich verbinde Sie jetzt mit der Zentrale.
Bitte legen Sie nicht auf, ich verbinde Sie.
Gern, dann verbinde ich Sie.
Einen Moment bitte, ich stelle Sie zur Störungsstelle durch.
Dann leite ich Sie an die Kollegen weiter.
Sie werden jetzt weitergeleitet.
Ich werde Sie mit einer Kollegin verbinden.
Claro, le paso con un compañero.
No cuelgue, le paso con atención al cliente.
Le transfiero ahora mismo.
Le transfiero al departamento de averías.
Voy a transferirle con el departamento de facturación.
Le comunico con la recepción.
Ahora le voy a pasar con una persona.
Estoy transfiriéndole a recepción.
"""

OTHERS = """
Would you like me to connect you to the front desk?
Otherwise I can connect you to our medical priority desk right away, would you like that?
I can connect you if you like.
If you like, I'll connect you to a colleague.
I'll connect you once you give me your number.
Before I transfer you, may I have your name?
Shall I put you through?
I'm sorry, I can't transfer you right now.
I'm not transferring you anywhere.
I tried to connect you, but nobody answered.
I'm sorry, the transfer is taking longer than it should.
I'll put you on hold for a second.
I'm putting you down for Monday.
I'll hand you the details by mail.
I'll transfer the money to your account today.
I'll send the papers to the address we have on file today.
Soll ich Sie verbinden?
Ich kann Sie leider nicht verbinden.
Ich verbinde Sie lieber nicht, das dauert zu lange.
Wenn Sie möchten, verbinde ich Sie mit einer Kollegin.
Bevor ich Sie verbinde, brauche ich Ihre Kundennummer.
Ich merke den Umzug zum ersten Juli vor.
Ich gebe das weiter.
¿Quiere que le pase con un compañero?
Si quiere, le paso con un compañero.
No puedo transferirle en este momento.
No le paso con nadie más.
Le comunico que su pago ha llegado.
Le paso la dirección por mensaje.
Le transfiero el importe mañana.
Antes de transferirle necesito su nombre.
Le mandamos un mensaje a este número en cuanto vuelva la luz.
"""


@pytest.mark.parametrize("words", PROMISES.strip().splitlines())
def test_saying_that_one_transfers_is_a_promise(words: str) -> None:
    assert promise_in(words) is not None


@pytest.mark.parametrize("words", OTHERS.strip().splitlines())
def test_offers_questions_conditions_and_other_matters_are_none(words: str) -> None:
    assert promise_in(words) is None


@given(st.one_of(*(st.from_regex(re.compile(phrase, re.ASCII), fullmatch=True) for phrase in PHRASES)))
def test_whatever_a_phrase_matches_passes_the_quick_look(words: str) -> None:
    assert re.search(STEMS, words)


def test_the_sentence_that_promises_is_told_alone() -> None:
    words = "I'm sorry you had to wait. I'll put you through to the front desk now. Anything else?"

    assert promise_in(words) == "I'll put you through to the front desk now."


def said(item_id: str, text: str, began: float, ended: float) -> Said:
    return Said(item_id, text, at(began), at(ended))


NOW = said("item_1", "I'm connecting you now.", 10, 11)


@pytest.mark.parametrize(
    ("turns", "item_id"),
    [
        ([], None),
        ([NOW], "item_1"),
        ([NOW, said("item_2", "One moment.", 20, 21)], "item_1"),
        ([NOW, said("item_2", "One moment.", 20, 21), said("item_3", "Where were we?", 30, 31)], None),
        ([NOW, said("item_2", "Ich verbinde Sie.", 20, 21)], "item_2"),
    ],
)
def test_a_promise_stands_while_it_is_among_the_last_words(turns: list[Said], item_id: str | None) -> None:
    promises = Promises()
    for turn in turns:
        promises.take(turn)

    assert promises.on(Signs()).promised_item == (item_id or "")
    assert LAST_TURNS == 2


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("I'll put you through to the front desk now.", "frontdesk"),
        ("I'm connecting you to our Medical Priority desk now.", "medical_priority"),
        ("I'm connecting you to medical_priority.", "medical_priority"),
        ("Connecting you to the desk for medical priority at the front desk.", "medical_priority"),
        ("I'm connecting you now.", None),
    ],
)
def test_the_destination_is_the_one_the_sentence_names(sentence: str, name: str | None) -> None:
    choices = [("frontdesk", "Front desk"), ("medical_priority", "Medical priority desk"), ("oncall", "On call")]

    assert named_in(sentence, choices) == name


def test_a_promise_counts_from_the_moment_the_caller_has_heard_it() -> None:
    promises = Promises()
    promises.take(NOW)

    speaking = promises.on(Signs(sound_began_at=at(10.5)))
    heard = promises.on(Signs(sound_began_at=at(10.5), sound_ended_at=at(14)))
    later = promises.on(Signs(sound_began_at=at(20), sound_ended_at=at(24)))

    assert (speaking.promised_item, speaking.promised_from, speaking.promised_at) == ("item_1", at(10), None)
    assert heard.promised_at == later.promised_at == at(14)


def test_words_without_a_promise_leave_no_sign() -> None:
    promises = Promises()
    promises.take(said("item_1", "How can I help?", 1, 2))

    assert promises.on(Signs()) == Signs()
