"""Everything is reached by keys, in a real browser, at desk and phone width."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright

from callops.audit.models import Entry
from callops.calls.commands import MAX_MARK
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.core import clock
from callops.people.roles import Role
from tests.dashboard.conftest import MakeCall, make_line
from tests.dashboard.test_axe import FLAGS, WIDTHS
from tests.need import need
from tests.people.test_table import client_of
from tests.rows import make_destination

pytestmark = pytest.mark.django_db(transaction=True)


def by_keys(address: str, play: Callable[[Page], None], who: str = Role.ADMINISTRATOR, size: str = "desk") -> None:
    """Play it in the browser of this person, in a thread of its own (see `test_axe`); nothing is refused on the way."""
    cookie = client_of(who).cookies[settings.SESSION_COOKIE_NAME].value
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_play, address, play, cookie, size).result()


def _play(address: str, play: Callable[[Page], None], cookie: str, size: str) -> None:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    need(program, "install chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=program, args=FLAGS) as browser:
        theme: Literal["light", "dark"] = "dark" if size == "phone" else "light"
        context = browser.new_context(base_url=address, viewport=WIDTHS[size], color_scheme=theme)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": address}])
        page = context.new_page()
        page.set_default_timeout(15_000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        play(page)
        assert wrong == []


@pytest.fixture
def two_calls(make_call: MakeCall) -> tuple[Call, Call]:
    """One on the line and one that ended, of callers whose numbers differ."""
    line, _ = make_line(), make_destination()
    ended = make_call(line=line, from_number="+15550177", state="ended", ended_at=clock.now())
    return make_call(line=line, from_number="+15550141", ai_call_id="rtc_alive"), ended


@pytest.mark.parametrize("size", list(WIDTHS))
def test_rows_pages_and_the_sheet_are_reached(live_server: Any, two_calls: tuple[Call, Call], size: str) -> None:
    live, ended = two_calls

    def play(page: Page) -> None:
        page.goto("/")
        page.keyboard.press("j")
        expect(page.locator(f"#row-{ended.pk} a, #row-{live.pk} a").and_(page.locator(":focus"))).to_have_count(1)
        expect(page).to_have_url(re.compile("#row-"))
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        expect(page.locator("#q")).to_be_focused()
        page.keyboard.press("Escape")
        page.locator("#q").blur()
        page.keyboard.press("g")
        page.keyboard.press("h")
        expect(page).to_have_url(re.compile("/calls/$"))
        page.wait_for_load_state()
        page.keyboard.press("j")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Space")
        expect(page.locator(".choose input:focus")).to_be_checked()
        page.keyboard.press("j")
        expect(page.locator(f"#call-{live.pk} a, #call-{ended.pk} a").and_(page.locator(":focus"))).to_have_count(1)
        expect(page.locator(".choose input:checked")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"/calls/\w{26}/$"))
        page.wait_for_load_state()
        page.keyboard.press("g")
        page.keyboard.press("l")
        expect(page).to_have_url(f"{live_server.url}/")

    by_keys(live_server.url, play, size=size)


def test_the_palette_finds_calls_pages_and_the_acts_of_the_page(live_server: Any, two_calls: tuple[Call, Call]) -> None:
    live, ended = two_calls

    def play(page: Page) -> None:
        page.goto(f"/calls/{live.pk}/")
        page.keyboard.press("Control+k")
        box = page.get_by_role("combobox", name="Number, id, page or words")
        expect(box).to_be_focused()
        expect(page.locator(f"#go-{live.pk}")).to_be_visible()
        page.keyboard.type("0177")
        expect(page.locator(f"#go-{ended.pk}")).to_be_visible()
        expect(page.locator(f"#go-{live.pk}")).to_have_count(0)
        page.keyboard.press("ArrowDown")
        expect(page.locator(f"#go-{ended.pk}")).to_have_attribute("aria-selected", "true")
        expect(box).to_have_attribute("aria-activedescendant", f"go-{ended.pk}")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{live_server.url}/calls/{ended.pk}/")
        page.wait_for_load_state()
        page.keyboard.press("Control+k")
        page.keyboard.type("incid")
        expect(page.locator("#go-incidents")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{live_server.url}/incidents/")

        page.goto(f"/calls/{live.pk}/")
        page.keyboard.press("Control+k")
        page.keyboard.type("whisper")
        page.keyboard.press("Enter")
        expect(page.locator("#palette")).to_be_hidden()
        expect(page.locator("#whisper-box")).to_have_attribute("open", "")

        page.keyboard.press("Escape")
        page.locator(":focus").blur()
        page.keyboard.press("Control+k")
        page.keyboard.type("zzzz")
        expect(page.locator("#palette-list")).to_contain_text("Nothing fits “zzzz”")
        page.keyboard.press("Control+k")
        expect(page.locator("#palette")).to_be_hidden()

        page.keyboard.press("Control+k")
        page.keyboard.type("outage & refund")
        expect(page.locator("#go-search")).to_have_text("Search transcripts for “outage & refund”")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{live_server.url}/calls/?q=outage%20%26%20refund")
        expect(page.locator("#q")).to_have_value("outage & refund")

    by_keys(live_server.url, play)


@pytest.mark.parametrize("size", list(WIDTHS))
def test_the_acts_of_a_call_have_their_keys(live_server: Any, two_calls: tuple[Call, Call], size: str) -> None:
    live, _ = two_calls

    def play(page: Page) -> None:
        page.goto(f"/calls/{live.pk}/")
        page.keyboard.press("t")
        expect(page.locator("#moving")).to_be_visible()
        page.keyboard.press("Escape")
        for key, box in (("w", "#whisper-box"), ("s", "#say-box"), ("m", "#mark-box")):
            page.keyboard.press(key)
            expect(page.locator(box)).to_have_attribute("open", "")
            expect(page.locator(f"{box} input:focus, {box} textarea:focus")).to_have_count(1)
            page.locator(":focus").blur()
        page.keyboard.press("m")
        page.keyboard.press("m")
        page.keyboard.type("asked twice for a person")
        page.keyboard.press("Enter")
        expect(page.locator("#mark-box output")).to_have_text("Marked.")

    by_keys(live_server.url, play, size=size)

    body = live.events.get(kind=Kind.OPERATOR_MARKED).body
    assert body == {"by": Role.ADMINISTRATOR, "text": "asked twice for a person"}


def test_a_mark_stands_on_the_timeline_of_a_call_that_is_over(desk: Client, two_calls: tuple[Call, Call]) -> None:
    _, ended = two_calls

    assert desk.post(f"/calls/{ended.pk}/mark", {"text": "<b>here</b>"}).status_code == 303
    assert desk.post(f"/calls/{ended.pk}/mark", {"text": ""}).status_code == 303
    page = desk.get(f"/calls/{ended.pk}/").content.decode()

    assert "supervisor marked this moment: &lt;b&gt;here&lt;/b&gt;" in page
    assert "supervisor marked this moment." in page
    assert Entry.objects.filter(verb="mark moment").count() == 2


def test_a_remark_that_is_too_long_is_refused_with_the_reason(desk: Client, two_calls: tuple[Call, Call]) -> None:
    live, _ = two_calls

    answer = desk.post(f"/calls/{live.pk}/mark", {"text": "x" * (MAX_MARK + 1)})

    assert (answer.status_code, str(MAX_MARK) in answer.content.decode()) == (422, True)
    assert not live.events.filter(kind=Kind.OPERATOR_MARKED).exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("refund", "Search transcripts for “refund”"),
        ('"call me back"', "Search transcripts for “&quot;call me back&quot;”"),
        ("0177", "Search the history for “0177”"),
        ("refer:unseen", "Search the history for “refer:unseen”"),
        ("incidents", "Search transcripts for “incidents”"),
        ("<b>", "Search transcripts for “&lt;b&gt;”"),
    ],
)
def test_the_last_entry_of_the_palette_searches_the_history_for_what_was_typed(
    desk: Client, two_calls: tuple[Call, Call], typed: str, words: str
) -> None:
    entries = re.findall(r'role="option".*?</li>', desk.get("/palette/", {"q": typed}).text, re.DOTALL)

    assert words in entries[-1]
    assert f'href="/calls/?q={quote(typed, safe="")}"' in entries[-1]


def test_without_words_the_palette_offers_no_search(desk: Client) -> None:
    assert "go-search" not in desk.get("/palette/", {"q": "  "}).text


def test_who_may_not_read_numbers_finds_no_call_by_one(two_calls: tuple[Call, Call]) -> None:
    viewer = client_of(Role.VIEWER)

    found = viewer.get("/palette/?q=0177").content.decode()

    assert "go-01" not in found
    assert "Audit" not in viewer.get("/palette/").content.decode()
