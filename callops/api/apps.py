"""The API room in Django's list of applications."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Whoever holds one of our tokens may read `/metrics` too."""

    name = "callops.api"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from callops.api.tokens import is_good
        from callops.core.access import register_bearer

        register_bearer(is_good)
