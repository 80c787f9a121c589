"""`manage.py forget_factors NAME`: for somebody who lost telephone, keys and recovery codes."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from callops.audit import chain, verbs
from callops.core import clock


class Command(BaseCommand):
    """The person signs in with password or provider alone, and adds new factors."""

    help = "Removes every second factor of a person who lost them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")

    @transaction.atomic
    def handle(self, *args: Any, name: str, **_: Any) -> None:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no {name}.")
        _, by_model = Authenticator.objects.filter(user=user).delete()
        detail = {"person": name, "removed": sum(by_model.values())}
        chain.record(verbs.BY_COMMAND, verbs.REMOVE_FACTOR, now=clock.now(), detail=detail)
        self.stdout.write(f"{name} has no second factor any more.")
