"""Whatever was said or typed, it is inert where a search shows it, and in the file that is taken."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from callops.calls.models import Call, Line
from callops.core import clock
from callops.core.text import storable
from callops.finding import taking
from callops.finding.models import SavedView
from callops.sideband.models import Turn
from tests.reports.test_bundle import HOSTILE
from tests.rows import make_call, make_line

pytestmark = pytest.mark.django_db


def arrived(text: str) -> str:
    """The text as it comes in: no decoder lets half a pair of surrogates through, and no NUL is stored."""
    return storable(text).encode("utf-8", "replace").decode()


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.mark.parametrize("text", HOSTILE)
def test_what_was_said_is_text_beside_its_call(root: Client, text: str) -> None:
    call = make_call(make_line())
    said = arrived(f"quokka {text}")
    about = {"item_id": "i1", "position": 0, "speaker": "caller", "final": True, "started_at": clock.now()}
    Turn.objects.create(call=call, text=said, **about)

    page = root.get("/calls/", {"q": "quokka"})

    row = page.text.partition('class="said-row"')[2].partition("</tr>")[0]
    assert "<mark>quokka</mark>" in row
    assert set(re.findall(r"<(\w+)", row)) <= {"td", "a", "span", "time", "mark"}
    assert len(row) < 4_000


@pytest.mark.parametrize("text", HOSTILE)
def test_what_was_typed_stays_in_the_box_and_in_a_views_name_as_text(root: Client, text: str) -> None:
    typed = arrived(text)[:200]
    make_call(make_line())
    root.post("/calls/views/save", {"name": typed[:60] or "x", "query": "?state=live"})

    page = root.get("/calls/", {"q": typed})

    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert not re.search(r"<(img|svg|iframe)\b[^>]*(onerror|onload)=", page.text)
    assert SavedView.objects.count() <= 1


@pytest.mark.parametrize("text", ['=HYPERLINK("x")', "+1+1", "-2", "@SUM(1)", "\t=1", *HOSTILE])
def test_no_cell_of_the_file_is_a_formula(text: str) -> None:
    name = arrived(text)[:120]
    make_call(Line.objects.create(number="+15550100", name=name))

    (row,) = csv.reader(io.StringIO(taking.as_csv(taking.portion(Call.objects.all(), None))))

    assert not row[taking.COLUMNS.index("line")].lstrip().startswith(("=", "+", "-", "@"))
    assert row[taking.COLUMNS.index("from_number")] == "+15550123"
