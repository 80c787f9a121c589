"""A search as a person plays it, in a real browser, at desk and phone width."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from callops.finding.models import SavedView
from tests.dashboard.conftest import MakeCall, make_line
from tests.dashboard.test_axe import WIDTHS
from tests.dashboard.test_history import say
from tests.dashboard.test_keys import by_keys

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("size", list(WIDTHS))
def test_words_are_typed_found_opened_at_their_line_and_left_for_the_next_call(
    live_server: Any, make_call: MakeCall, size: str
) -> None:
    line = make_line()
    older, other, newer = (make_call(line=line, state="ended") for _ in range(3))
    for call in (older, newer):
        for _ in range(30):
            say(call, "and so on")
        say(call, "I want a refund")
    say(other, "I want nothing")
    keys = sorted((older.pk, newer.pk))

    def play(page: Page) -> None:
        page.goto("/calls/")
        page.keyboard.press("/")
        page.keyboard.type("is:tran")
        expect(page.locator("#completions option")).to_have_count(1)
        expect(page.locator("#completions option")).to_have_attribute("value", "is:transferred")
        page.locator("#q").fill('"a refund"')
        expect(page.locator(".said-row mark")).to_have_count(2)
        expect(page.locator(f"#call-{other.pk}")).to_have_count(0)
        expect(page).to_have_url(re.compile("q=%22a"))
        page.locator(".said-row a").first.click()
        expect(page.locator(".turn:target")).to_contain_text("I want a refund")
        expect(page.locator(".turn:target")).to_be_in_viewport()
        expect(page).to_have_url(re.compile(f"/calls/{keys[1]}/"))
        page.keyboard.press("]")
        expect(page).to_have_url(re.compile(f"/calls/{keys[0]}/"))
        page.get_by_role("link", name="Back to the search").click()
        expect(page.locator(".sought li")).to_have_count(1)
        page.locator(".sought a").click()
        expect(page.locator(f"#call-{other.pk}")).to_have_count(1)

    by_keys(live_server.url, play, size=size)


def test_a_view_is_kept_and_opened_and_its_calls_are_taken_as_a_file(live_server: Any, make_call: MakeCall) -> None:
    line = make_line()
    call, _ = make_call(line=line, incomplete=True), make_call(line=line)

    def play(page: Page) -> None:
        page.goto("/calls/?q=is:incomplete")
        page.get_by_text("Keep this view").click()
        page.get_by_label("Name").fill("Holes")
        page.get_by_role("button", name="Keep", exact=True).click()
        page.goto("/calls/")
        page.get_by_role("link", name="Holes").click()
        expect(page.locator("tbody tr[id]")).to_have_count(1)
        with page.expect_download() as taken:
            page.get_by_role("link", name="CSV").click()
        with taken.value.path().open() as lines:
            assert [row["id"] for row in csv.DictReader(lines)] == [call.pk]

    by_keys(live_server.url, play)
    assert SavedView.objects.get().name == "Holes"
