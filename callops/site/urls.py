"""Every address; the rooms bring their own."""

from __future__ import annotations

from django.urls import include, path

from callops.core import views
from callops.core.config import config

# The extra's sign-in stands before the dashboard's.
extra = [path("", include("callops.accounts.urls"))] if config().accounts else []

handler400 = "callops.dashboard.lost.bad_request"
handler500 = "callops.dashboard.lost.server_error"

urlpatterns = [
    *extra,
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics_text, name="metrics"),
    path("api/", include("callops.api.urls")),
    path("", include("callops.webhooks.urls")),
    path("", include("callops.dashboard.urls")),
]
