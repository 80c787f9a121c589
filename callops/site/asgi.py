"""The application Daphne serves: pages, webhooks and the API over HTTP, live pages over WebSockets."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

import django
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callops.site.settings")

django.setup(set_prefix=False)

from callops.core.config import config  # noqa: E402
from callops.core.one_thread import OneThread  # noqa: E402
from callops.core.turnstile import Turnstile  # noqa: E402 - models need Django set up
from callops.dashboard.consumers import Nowhere  # noqa: E402 - models need Django set up
from callops.dashboard.routing import websocket_urlpatterns  # noqa: E402

django_application = OneThread()

sockets: Callable[..., Awaitable[Any]] = URLRouter([*websocket_urlpatterns, re_path("", Nowhere.as_asgi())])
if config().accounts:
    from callops.accounts.enrolment import Enrolled

    sockets = Enrolled(sockets)

application = ProtocolTypeRouter(
    {
        "http": Turnstile(django_application),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(sockets)),
    }
)
