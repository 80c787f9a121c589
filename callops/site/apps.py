"""The site in Django's list of applications."""

from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """`/metrics` shows what the rooms hold."""

    name = "callops.site"

    def ready(self) -> None:
        from callops.site import gauges

        gauges.show()
