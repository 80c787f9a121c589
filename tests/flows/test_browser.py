"""A supervisor at the desk, in a real browser: sign in, watch, transfer, read the proof, survive a restart."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.flows.world import World
from tests.need import need

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SOON_MS = 20_000
IS_NEW_ROW = "known => [...document.querySelectorAll('.rows .row')].some(row => !known.includes(row.id))"
SCREENS: dict[str, tuple[int, Literal["light", "dark"]]] = {"desk": (1440, "light"), "phone": (360, "dark")}
"""A width, and a theme."""


def look_on(page: Page, screen: str) -> None:
    """The page is as wide as this screen, in its theme."""
    width, theme = SCREENS[screen]
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    need(program, "install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    """A signed-in supervisor on the board; nothing may be refused by the content policy on the way."""
    context = browser.new_context(base_url=world.app_url)
    page = context.new_page()
    page.set_default_timeout(SOON_MS)
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto("/")
    expect(page).to_have_url(re.compile("/login/"))
    page.get_by_label("Username").fill("supervisor1")
    page.get_by_label("Password").fill("birch lantern 41")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{world.app_url}/")
    yield page
    context.close()
    assert refused == []


def open_call(page: Page, world: World, scenario: str, **knobs: object) -> dict:
    """A new call appears on the board without reloading, and its row leads to its page."""
    expect(page.locator("#live-light")).to_contain_text("live", timeout=SOON_MS)
    call = world.live(scenario, **knobs)
    row = page.locator(f'a[href="/calls/{call["id"]}/"]').first
    expect(row).to_be_visible(timeout=SOON_MS)
    row.click()
    page.wait_for_url(f"{world.app_url}/calls/{call['id']}/")
    expect(page.locator("#live-light")).to_contain_text("live", timeout=SOON_MS)
    return call


def test_a_new_call_appears_its_transcript_grows_and_the_transfer_is_proven(page: Page, world: World) -> None:
    open_call(page, world, "happy_silent_refer", speed=2)
    log = page.get_by_role("log")
    turns = log.locator('[id^="turn-"]')
    expect(turns.first).to_be_visible(timeout=SOON_MS)
    before = log.inner_text()
    expect(log).not_to_have_text(before, timeout=SOON_MS)

    page.get_by_label("Destination").select_option(label="Front desk")
    page.get_by_role("button", name="Transfer").click()

    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text("Unproven", timeout=SOON_MS)
    expect(verdict).to_contain_text("Twilio redirect", timeout=SOON_MS)
    expect(verdict).to_contain_text("never seen by the carrier", timeout=SOON_MS)
    expect(verdict).to_contain_text("connected", timeout=SOON_MS)
    expect(verdict).to_contain_text("request id")


def test_a_refer_that_works_reads_sip_refer(page: Page, world: World) -> None:
    open_call(page, world, "refer_works", to_number="+15550104", human_answers_after_s=2)

    page.get_by_label("Destination").select_option(label="Front desk")
    page.get_by_role("button", name="Transfer").click()

    expect(page.locator("#verdict")).to_contain_text("SIP REFER", timeout=SOON_MS)
    expect(page.locator("#verdict")).to_contain_text("connected", timeout=SOON_MS)


def test_the_page_survives_a_server_restart_without_gaps_or_doubles(page: Page, world: World) -> None:
    call = open_call(page, world, "happy_silent_refer", speed=2)
    turns = page.get_by_role("log").locator('[id^="turn-"]')
    expect(turns.nth(1)).to_be_visible(timeout=SOON_MS)

    world.stop_app()
    expect(page.locator("#live-light")).not_to_have_text(re.compile(r"^\W*live\W*$"), timeout=SOON_MS)
    world.start_app()

    expect(page.locator("#live-light")).to_contain_text("live", timeout=2 * SOON_MS)
    known = len(world.call(call["id"])["transcript"])
    expect(turns.nth(known)).to_be_visible(timeout=2 * SOON_MS)
    world.hang_up_caller(call["carrier"]["call_sid"])
    ended = world.until(call["id"], lambda seen: seen["state"] == "ended", "over")
    expect(turns).to_have_count(len(ended["transcript"]), timeout=SOON_MS)
    ids = turns.evaluate_all("rows => rows.map(row => row.id)")
    assert len(set(ids)) == len(ids)


def test_the_page_reads_without_javascript(browser: Browser, world: World) -> None:
    call = world.live("happy_silent_refer")
    world.until(call["id"], lambda seen: len(seen["transcript"]) >= 1, "words")
    context = browser.new_context(base_url=world.app_url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("Username").fill("supervisor1")
    page.get_by_label("Password").fill("birch lantern 41")
    page.get_by_role("button", name="Sign in").click()

    page.goto(f"/calls/{call['id']}/")
    expect(page.get_by_role("log").locator('[id^="turn-"]').first).to_be_visible()
    page.get_by_label("Destination").select_option(label="Front desk")
    page.get_by_role("button", name="Transfer").click()
    page.wait_for_url(f"{world.app_url}/calls/{call['id']}/**")

    expect(page.locator("#verdict")).to_contain_text("Front desk")
    context.close()
    world.hang_up_caller(call["carrier"]["call_sid"])


def opened(page: Page, world: World, scenario: str) -> str:
    call_id: str = world.live(scenario, speed=2)["id"]
    page.goto(f"/calls/{call_id}/")
    expect(page.locator("#live-light")).to_contain_text("live", timeout=SOON_MS)
    return call_id


def count_down_from(page: Page, seconds: int) -> None:
    """The form counts so long; what is asked of it otherwise is its own."""
    page.locator("[data-countdown]").evaluate("(form, seconds) => { form.dataset.countdown = seconds }", seconds)


@pytest.mark.parametrize("screen", SCREENS)
def test_a_supervisor_works_one_call_from_whisper_to_hang_up(
    page: Page,
    world: World,
    pictures: Callable[[Page, str], None],
    screen: str,
) -> None:
    look_on(page, screen)
    call_id = opened(page, world, "happy_silent_refer")
    expect(page.locator("#looking")).to_contain_text("supervisor1", timeout=SOON_MS)

    page.locator("#whisper-box summary").click()
    page.locator("#whisper").fill("Be quick.")
    page.get_by_role("button", name="Whisper", exact=True).click()
    expect(page.locator("#supervise")).to_contain_text("seen", timeout=SOON_MS)
    expect(page.get_by_role("log")).to_contain_text("whisper of supervisor1, hidden from the caller", timeout=SOON_MS)
    expect(page.locator("#whisper")).to_have_value("")
    pictures(page, "call-whispered")
    assert grave_findings(page) == []

    page.get_by_role("button", name="With a brief…").click()
    page.get_by_label("Who should take the call").fill("Front desk")
    count_down_from(page, 600)  # while it is looked at
    page.get_by_role("button", name="Move the caller").click()
    expect(page.locator(".counting")).to_be_visible()
    pictures(page, "call-countdown")
    assert grave_findings(page) == []
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".counting")).to_be_hidden()
    assert world.call(call_id)["transfers"] == []

    count_down_from(page, 3)
    page.get_by_role("button", name="Move the caller").click()
    expect(page.locator(".stepper .now")).to_be_visible(timeout=SOON_MS)
    pictures(page, "call-stepper")
    expect(page.locator("#verdict")).to_contain_text("connected", timeout=SOON_MS)

    call_id = opened(page, world, "happy_silent_refer")
    page.locator("#hangup summary").click()
    button = page.get_by_role("button", name="Hang up", exact=True)
    button.click()
    assert world.call(call_id)["state"] != "ended"
    button.focus()
    page.keyboard.down("Enter")
    expect(page.locator("#header")).to_contain_text("ended by an operator", timeout=SOON_MS)
    page.keyboard.up("Enter")


def grave_findings(page: Page) -> list[str]:
    """What axe finds serious or critical, with where it is."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in ("serious", "critical")]


@pytest.fixture
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Page, str], None]:
    """Keeps the page at desktop and phone size, light and dark, as artefacts of the run."""
    folder = tmp_path_factory.getbasetemp() / "desk-pictures"
    folder.mkdir(exist_ok=True)

    def keep(page: Page, name: str) -> None:
        before = page.viewport_size
        for width in (1440, 360):
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": 900})
                page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=False)
        if before is not None:
            page.set_viewport_size(before)

    return keep


@pytest.mark.parametrize("screen", SCREENS)
def test_a_call_that_comes_to_need_somebody_is_told_counted_and_stands_first(
    page: Page, world: World, screen: str
) -> None:
    look_on(page, screen)
    page.add_init_script(
        "window.told = []; window.Notification = class { constructor(title, more) { window.told.push("
        "more.body); } static permission = 'granted'; static requestPermission = async () => 'granted'; };"
    )
    page.reload()
    expect(page.locator("#live-light")).to_contain_text("live", timeout=SOON_MS)
    page.get_by_label("Notify me").check()
    call = world.live("dead_air")

    row = page.locator(f"#row-{call['id']}")
    expect(page.locator("#board-needs").locator(row)).to_be_visible(timeout=40_000)
    expect(row).to_contain_text("Dead air")
    expect(page.locator("#needing")).to_contain_text("needs you")
    expect(page).to_have_title(re.compile(r"^\(\d+\) Live"))
    expect(page.locator("#notices")).to_contain_text("Dead air")
    assert "Dead air" in "".join(page.evaluate("window.told"))

    row.get_by_role("link", name="Transfer").click()
    expect(page).to_have_url(re.compile(f"/calls/{call['id']}/#commands"))
    world.hang_up_caller(call["carrier"]["call_sid"])


def test_no_row_moves_while_one_points_at_the_board(page: Page, world: World) -> None:
    expect(page.locator("#live-light")).to_contain_text("live", timeout=SOON_MS)
    first = world.live("default")
    row = page.locator(f"#row-{first['id']}")
    expect(row).to_be_visible(timeout=SOON_MS)
    row.hover()
    before = page.locator(".rows .row").evaluate_all("rows => rows.map(row => row.id)")

    sid = world.ring("default")
    for look in range(60):
        row.hover(position={"x": 40 + look % 7, "y": 10})
        if page.locator(".board[data-held]").count():
            break
        page.wait_for_timeout(100)
    assert page.locator(".board[data-held]").count() == 1
    assert page.locator(".rows .row").evaluate_all("rows => rows.map(row => row.id)") == before

    page.mouse.move(5, 5)
    expect(page.locator(".board[data-held]")).to_have_count(0)
    page.wait_for_function(IS_NEW_ROW, arg=before, timeout=SOON_MS)  # while it comes, another may leave
    for each in (sid, first["carrier"]["call_sid"]):
        world.hang_up_caller(each)
