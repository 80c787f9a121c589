"""What is shown of a line while it is being said is what the rules leave of the whole line so far."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callops.calls.words import Redaction
from callops.privacy import growing
from callops.privacy.growing import Growing
from callops.privacy.rules import redact

RULES = frozenset(Redaction)
TALK = "I would like to know when the technician comes to us, please. "
PIECES = [
    "4", "11", "1111 ", "4111 1111 1111 1111", "one ", "double four ", "twenty", "-two ", "and ", "um ", ", ", ". ",
    "! ", " ", "\n", "…", "at ", " at ", "dot ", "john", "@", "example.com", "gmail.com",
    "john dot smith at gmail dot com. ",
    "my card number is ", "security code. ", "social security ", "078-05-1120", "X1234567", "L", "é", "Ada. ", TALK,
    "phone ", "ones ", "none. ", "The end of it. ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.sampled_from(["", "Your card number, please?"]), st.data())
@example([TALK, TALK, "4111 1111 1111. ", "1111"], "", None)
@example([TALK, "It is 4111 1111. ", "1111 1111, and ", TALK, TALK, "five ", "at ", TALK], "", None)
@example([TALK, TALK, "My security code. ", "123 ", TALK], "", None)
def test_a_growing_text_is_shown_as_the_whole_text_would_be(
    pieces: list[str], before: str, data: st.DataObject | None
) -> None:
    line, said = Growing(RULES, before=before), ""
    for piece in pieces:
        said += piece
        finished = data is not None and data.draw(st.booleans())
        assert line.redact(said, finished=finished) == redact(said, RULES, finished=finished, before=before)


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_text_that_was_replaced_is_looked_at_anew(first: str, second: str) -> None:
    line = Growing(RULES)
    line.redact(TALK * 3 + first, finished=False)
    assert line.redact(second, finished=True) == redact(second, RULES)


def test_what_is_settled_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def counted(text: str, *args: object, **kwargs: object) -> object:
        looked.append(len(text))
        return redact(text, *args, **kwargs)

    monkeypatch.setattr(growing, "redact", counted)
    line, said = Growing(RULES), ""
    for _ in range(50):
        said += f"Your ticket has the number seven. {TALK}"
        line.redact(said, finished=False)
    assert max(looked) < 400
    assert len(said) > 4000
