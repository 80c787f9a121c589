"""Whatever was said, it is inert in the reports, the ladder and on the page."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.test import Client

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import Lane
from callops.people import groups
from callops.people.roles import Role
from callops.reports import ladder, to_openai, to_twilio
from callops.reports.gathering import gather
from callops.reports.record import CallRecord
from callops.reports.steps import steps
from tests.reports.cases import silent_refer
from tests.reports.test_bundle import HOSTILE
from tests.rows import at

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    call, _ = silent_refer()
    for number, text in enumerate(
        [*HOSTILE, "[click](javascript:alert(1)) ![x](https://evil.example/x.png)", "a\n\n## b"]
    ):
        timeline.note(call, at=at(21 + number), kind=Kind.OPENAI_ERROR, lane=Lane.OPENAI, body={"message": text})
        alert = {"code": text[:200], "text": text}
        timeline.note(call, at=at(21 + number), kind=Kind.CARRIER_ALERT, lane=Lane.CARRIER, body=alert)
    return call


@pytest.fixture
def case(call: Call) -> CallRecord:
    return gather(call, at=at(900))


def test_the_drawing_has_no_element_that_was_said(case: CallRecord) -> None:
    drawn = ladder.svg(steps(case), title="</title><script>", alone=True)

    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(drawn).iter()}
    assert tags == {"svg", "title", "style", "text", "line", "g", "rect", "polygon"}
    assert len(drawn) < 200_000


@pytest.mark.parametrize("make", [to_openai.report, to_twilio.report])
def test_no_markdown_was_said(case: CallRecord, make) -> None:
    text = make(case)

    prose = re.sub(r"(`+) ?.*? ?\1", "", text)
    assert "\n## b" not in text
    assert "<script" not in prose.replace("\\<", "")
    assert "](javascript" not in prose.replace("\\]", "")
    assert not {"\x1b", "\u202e", "\u2066", "\x00"} & set(text)
    assert len(text) < 200_000


def test_the_page_runs_nothing_and_fetches_nothing(call: Call) -> None:
    client = Client()
    user = User.objects.create_user("nora")
    groups.give(user, Role.ANALYST)
    client.force_login(user)

    page = client.get(f"/calls/{call.pk}/report/").content.decode()

    assert "<script>alert" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page
    assert 'src="https://evil' not in page
    assert 'href="https://evil' not in page
