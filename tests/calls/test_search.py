from __future__ import annotations

import pytest

from callops.calls.models import Call, MergedCall
from callops.calls.search import matching
from tests.rows import make_attempt, make_call, make_line

pytestmark = pytest.mark.django_db


def test_the_id_of_a_transfer_finds_the_call_it_moved_and_no_other() -> None:
    line = make_line()
    moved, other = make_call(line), make_call(line)
    attempt = make_attempt(moved)
    make_attempt(other)

    assert list(matching(Call.objects.all(), attempt.pk, numbers=False)) == [moved]


def test_the_id_a_half_had_before_it_was_joined_finds_the_call_it_became_part_of() -> None:
    line = make_line()
    call, _ = make_call(line), make_call(line)
    MergedCall.objects.create(former_id="former", call=call)

    assert list(matching(Call.objects.all(), "former")) == [call]
