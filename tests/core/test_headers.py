from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.test import RequestFactory

from callops.core.headers import SecurityHeaders, content_policy


def answered(rf: RequestFactory) -> HttpResponse:
    return SecurityHeaders(lambda request: HttpResponse("ok"))(rf.get("/"))


def test_the_content_policy_has_no_exceptions() -> None:
    policy = content_policy("https://calls.example.com")

    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "connect-src 'self' wss://calls.example.com;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy


def test_sockets_of_a_plain_http_address_are_plain_too() -> None:
    assert "connect-src 'self' ws://127.0.0.1:8000;" in content_policy("http://127.0.0.1:8000")


def test_browsers_are_held_to_https_only_where_we_are_public_over_it(
    rf: RequestFactory, settings: Any, configure: Callable[..., Any]
) -> None:
    assert "Strict-Transport-Security" not in answered(rf).headers

    settings.SECURE_HSTS_SECONDS = 3600

    assert answered(rf).headers["Strict-Transport-Security"] == "max-age=3600"
