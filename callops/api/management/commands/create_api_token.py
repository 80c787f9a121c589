"""`manage.py create_api_token USERNAME`: a bearer token for scripts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError, transaction

from callops.api.tokens import issue
from callops.audit import chain, verbs
from callops.core.clock import now


class Command(BaseCommand):
    """The token, alone on standard output, this once; only its hash is stored. Exit 1 when there is no such user."""

    help = "Prints a new bearer token of an active user, alone on standard output, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        try:
            user = User.objects.filter(username=username).first()
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(f"The database cannot be used ({error}). Is it reachable, and migrated?") from error
        if user is None:
            raise CommandError(
                f'There is no user "{username}". Create one with "manage.py createsuperuser --username {username}".'
            )
        if not user.is_active:
            raise CommandError(
                f'The user "{username}" is not active. Make the account active again, '
                'or create another with "manage.py createsuperuser".'
            )
        with transaction.atomic():
            token = issue(user, now())
            chain.record(verbs.BY_COMMAND, verbs.API_TOKEN, now=now(), detail={"person": username})
        self.stdout.write(token)
