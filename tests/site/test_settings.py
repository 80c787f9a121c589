from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


def test_pages_may_be_asked_for_without_their_slash(client: Client) -> None:
    answer = client.get("/login")

    assert answer.status_code == 301
    assert answer.headers["Location"] == "/login/"


@pytest.mark.parametrize("path", ["/twiml/inbound", "/webhooks/openai"])
def test_what_providers_post_to_is_never_redirected(client: Client, path: str) -> None:
    assert client.post(path, "a=b", "application/x-www-form-urlencoded").status_code in {400, 403}


def test_every_answer_carries_the_strict_headers(client: Client) -> None:
    for path in ("/login/", "/healthz", "/static/ninja/swagger-ui.css", "/nowhere"):
        headers = client.get(path).headers

        assert headers["Content-Security-Policy"].startswith("default-src 'none'"), path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_api_docs_need_nothing_from_elsewhere_and_nothing_inline(client: Client) -> None:
    page = client.get("/api/docs").content.decode()

    assert "/static/ninja/swagger-ui-bundle.js" in page
    assert "://" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=") + page.count('<script type="application/json"')


def test_a_host_that_is_not_ours_is_refused(client: Client) -> None:
    assert client.get("/login/", headers={"host": "evil.example.com"}).status_code == 400


def test_tests_never_use_the_developers_database(settings: Any) -> None:
    assert "callops-test" in settings.DATABASES["default"]["NAME"]


def test_one_process_without_redis_uses_the_layer_in_memory() -> None:
    assert settings.CHANNEL_LAYERS["default"]["BACKEND"].endswith("InMemoryChannelLayer")
