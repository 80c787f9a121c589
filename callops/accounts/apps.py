"""The extra in Django's list of applications."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """What allauth tells goes into the audit."""

    name = "callops.accounts"

    def ready(self) -> None:
        from callops.accounts import keeping

        keeping.listen()
