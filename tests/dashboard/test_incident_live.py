"""An incident as it is worked on in two windows of a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from callops.alerts.models import Incident
from tests.dashboard.conftest import MakeCall, make_line
from tests.dashboard.test_axe import WIDTHS
from tests.dashboard.test_keys import by_keys

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("size", list(WIDTHS))
def test_a_call_becomes_an_incident_that_shows_by_itself_what_others_do(
    live_server: Any, make_call: MakeCall, size: str
) -> None:
    call = make_call(line=make_line(), state="ended")

    def play(page: Page) -> None:
        page.goto(f"/calls/{call.pk}/")
        page.get_by_text("Add to an incident").click()
        page.get_by_label("Title of the incident").fill("Callers hear nothing")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page).to_have_url(re.compile(r"/incidents/\d+/$"))
        expect(page.locator("#incident")).to_contain_text("acknowledged")
        page.get_by_label("What you found").fill("half a note")
        other = page.context.new_page()
        other.goto(page.url)
        other.get_by_label("What you found").fill("I **see** it too")
        other.get_by_role("button", name="Add the note").click()
        expect(other.locator("#incident .rendered")).to_have_count(1)
        other.get_by_role("button", name="Set the owner").click()
        expect(other.locator("#incident")).to_contain_text("gave it an owner")
        expect(page.locator("#incident .rendered strong")).to_have_text("see", timeout=15_000)
        expect(page.get_by_label("What you found")).to_have_value("half a note")
        page.get_by_role("button", name="Add the note").click()
        expect(page.locator("#incident .rendered")).to_have_count(2)
        page.get_by_label("Cause").select_option("openai")
        page.get_by_label("What it was").fill("Their region was down.")
        page.get_by_role("button", name="Resolve").click()
        expect(page.locator("#incident")).to_contain_text("resolved")
        with page.expect_download() as taken:
            page.get_by_role("link", name="Post-mortem").click()
        assert "Their region was down." in taken.value.path().read_text()

    by_keys(live_server.url, play, size=size)
    assert Incident.objects.get().cause == "openai"
