"""Every address; the rooms bring their own."""

from __future__ import annotations

from django.urls import include, path

from callops.core import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics_text, name="metrics"),
    path("api/", include("callops.api.urls")),
    path("", include("callops.webhooks.urls")),
    path("", include("callops.dashboard.urls")),
]
