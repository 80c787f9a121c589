"""A passkey in a real browser: added and used under the content policy, with nothing refused."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from callops.audit.models import Entry
from tests.need import need

pytestmark = pytest.mark.django_db(transaction=True)
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def page(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A browser whose machine has a fingerprint reader."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    need(program, "install chromium")
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs a loop on this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(base_url=live_server.url.replace("127.0.0.1", "localhost"))
        page.set_default_timeout(20_000)
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        refused: list[str] = []
        page.on("console", lambda said: refused.append(said.text) if "Content Security" in said.text else None)
        yield page
        browser.close()
    assert refused == []


def grave_findings(page: Page) -> list[str]:
    """What axe finds serious or critical."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in ("serious", "critical")]


def test_a_passkey_is_added_and_signs_in_alone(page: Page) -> None:
    User.objects.create_user("nora", password="correct-horse-1")
    page.goto("/login/?next=/account/")
    findings = grave_findings(page)
    page.get_by_label("Username").fill("nora")
    page.get_by_label("Password").fill("correct-horse-1")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="Add a passkey").click()
    findings += grave_findings(page)
    page.get_by_label("Name", exact=True).fill("Laptop")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    page.goto("/login/?next=/account/")
    page.get_by_role("button", name="Use a passkey").click()

    expect(page).to_have_url(re.compile("/account/$"))
    expect(page.get_by_text("Laptop")).to_be_visible()
    assert findings + grave_findings(page) == []
    assert Authenticator.objects.filter(type="webauthn").count() == 1
    assert [entry.detail["by"] for entry in Entry.objects.filter(verb="sign in").order_by("number")] == [
        "password",
        "passkey",
    ]
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Username").fill("nora")
    page.get_by_label("Password").fill("correct-horse-1")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("link", name="Call-backs")).to_be_visible()
