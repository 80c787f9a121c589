"""Security headers on every answer: a content policy without exceptions, and HSTS when we are public over https."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from callops.core.config import config


def content_policy(public_url: str) -> str:
    """Everything from our own origin, sockets too; nothing inline, no frames."""
    public = urlsplit(public_url)
    socket_origin = f"{'wss' if public.scheme == 'https' else 'ws'}://{public.netloc}"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            f"connect-src 'self' {socket_origin}",
            "font-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class SecurityHeaders:
    """Middleware. HSTS goes by `PUBLIC_URL`, since TLS usually ends before us."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.headers = {
            "Content-Security-Policy": content_policy(config().public_url),
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        }
        if settings.SECURE_HSTS_SECONDS:
            self.headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer of the house, with the headers on it."""
        response = self.get_response(request)
        for name, value in self.headers.items():
            response.headers[name] = value
        return response
