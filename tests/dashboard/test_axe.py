"""Every page in a real browser: axe finds nothing serious, at desk and phone width, in both themes."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.conf import settings
from django.db import OperationalError
from playwright.sync_api import Page, expect, sync_playwright

from callops.core.config import config
from callops.people.roles import Role
from tests.dashboard.conftest import make_turn
from tests.dashboard.test_every_page import PAGES
from tests.need import need
from tests.people.test_table import House, client_of

pytestmark = pytest.mark.django_db(transaction=True)
WIDTHS = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
THEMES = ("light", "dark")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES = {
    "light": {"resultTypes": ["violations"], "runOnly": STANDARDS},
    "dark": {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": ["color-contrast"]}},
}
"""A theme changes colours alone, so in the second only those are looked at."""
LOST = ("/nowhere/", "/calls/nobody/")
EMPTY = ("/", "/calls/?q=nobody", "/transfers/")
SMALL = """() => [...document.querySelectorAll("button, select, summary, textarea, input:not([type=hidden])")]
  .filter((each) => each.checkVisibility({ contentVisibilityAuto: true }) && !each.closest("label"))
  .filter((each) => { const box = each.getBoundingClientRect(); return box.width < 23.5 || box.height < 23.5; })
  .map((each) => each.outerHTML.slice(0, 120))"""
"""What one presses; a box in a label is as large as its label. Half a pixel is the browser's rounding."""
SHOTS = os.environ.get("CALLOPS_SCREENSHOTS", "")
"""A folder: every page is kept there as it was looked at."""


def walked(address: str, paths: Sequence[str], who: str = "nobody", kept_as: str = "") -> str:
    """What is wrong with these pages, a finding on each line.

    The browser has a thread of its own: Playwright runs a loop, beside which the ORM cannot be used.
    """
    session = client_of(who).cookies[settings.SESSION_COOKIE_NAME].value if who != "nobody" else ""
    with ThreadPoolExecutor(1) as thread:
        return "\n".join(thread.submit(_walk, address, paths, session, kept_as).result())


def _walk(address: str, paths: Sequence[str], session: str, kept_as: str) -> list[str]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    need(program, "install chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=program, args=FLAGS) as browser:
        context = browser.new_context(base_url=address, reduced_motion="reduce")
        if session:
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
        page, found = context.new_page(), []
        for path in paths:
            page.goto(path)
            name = re.sub(r"\W+", "-", re.sub(r"\w{26}", "id", path)).strip("-") or "board"
            found += list(_trouble(page, kept_as + name))
    return found


def _trouble(page: Page, name: str) -> Iterator[str]:
    for width, size in WIDTHS.items():
        page.set_viewport_size(size)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            yield f"{name} {width}: the page scrolls sideways"
        yield from (f"{name} {width}: smaller than 24 px: {each}" for each in page.evaluate(SMALL))
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            if SHOTS:
                page.screenshot(path=Path(SHOTS) / f"{name}-{width}-{theme}.png", full_page=True)
            found: dict[str, Any] = Axe().run(page, options=RULES[theme]).response
            grave = [each for each in found["violations"] if each["impact"] in {"serious", "critical"}]
            yield from (f"{name} {width} {theme}: {each['id']} {each['nodes'][0]['html'][:200]}" for each in grave)


def test_no_page_has_a_serious_finding(live_server: Any) -> None:
    house = House()
    pages = [house.fill(path) for path in PAGES if path != "login/"]

    assert not (found := walked(live_server.url, (*pages, *LOST), Role.ADMINISTRATOR)), found


def test_neither_has_an_empty_house(live_server: Any) -> None:
    assert not (found := walked(live_server.url, EMPTY, Role.ADMINISTRATOR, "empty-")), found


def test_neither_has_the_way_to_a_first_call_nor_the_page_without_a_database(
    live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*args: object, **more: object) -> None:
        raise OperationalError("database or disk is full")

    settings.CALLOPS = replace(config(), demo=True)
    monkeypatch.setattr("callops.dashboard.history.calls", read)
    monkeypatch.setattr("callops.core.room.free_gb", lambda: 0.001)

    found = walked(live_server.url, ["/", "/calls/?state=live"], Role.ADMINISTRATOR, "full-")

    assert not found, found


def test_neither_has_the_sign_in(live_server: Any) -> None:
    assert not (found := walked(live_server.url, ["/login/"])), found


def test_a_log_is_read_out_only_to_who_follows_it(live_server: Any) -> None:
    house = House()
    for number in range(2, 60):
        make_turn(house.call, number, f"This is line {number}.")
    session = client_of(Role.SUPERVISOR).cookies[settings.SESSION_COOKIE_NAME].value

    with ThreadPoolExecutor(1) as thread:
        heard = thread.submit(_scrolled, live_server.url, f"/calls/{house.call.pk}/", session).result()

    assert heard == ["polite", "off", "polite"]


def _scrolled(address: str, path: str, session: str) -> list[str]:
    """Whether the transcript is read out: as the page opens, further up, and at its end again."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    need(program, "install chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=program, args=FLAGS) as browser:
        page = browser.new_page(base_url=address, viewport=WIDTHS["desk"])
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
        page.goto(path)
        log, heard = page.get_by_role("log"), []
        for where, wanted in (("log.scrollHeight", "polite"), ("0", "off"), ("log.scrollHeight", "polite")):
            log.evaluate(f"(log) => {{ log.scrollTop = {where}; }}")
            expect(log).to_have_attribute("aria-live", wanted)
            heard.append(log.get_attribute("aria-live") or "")
    return heard
