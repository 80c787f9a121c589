"""`manage.py person NAME --role supervisor --team north`: who may do what, and whose calls they see."""

from __future__ import annotations

import getpass
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from callops.audit import chain, verbs
from callops.calls.models import Line
from callops.core import clock
from callops.people import groups
from callops.people.models import Team
from callops.people.roles import Role

NONE = "none"
CHANGES = ("add", "role", "team", "no_teams", "line", "email", "remove")


class Command(BaseCommand):
    """Shows a person, or changes them; what is not named stays as it is."""

    help = "Adds, shows, changes or removes a person. Without NAME: lists everybody."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", metavar="NAME")
        parser.add_argument("--add", action="store_true", help="a new person; the password is asked for")
        parser.add_argument("--role", choices=[*(role.value for role in Role), NONE])
        parser.add_argument("--team", action="append", default=[], metavar="TEAM", help="put into this team")
        parser.add_argument("--no-teams", action="store_true", help="take out of every team: sees all lines")
        parser.add_argument("--line", action="append", default=[], metavar="NUMBER", help="with --team: its lines")
        parser.add_argument("--email", help="the address by which OpenID Connect finds them")
        parser.add_argument("--remove", action="store_true", help="cannot sign in any more; what they did stays theirs")

    def handle(self, *args: Any, name: str | None, **wish: Any) -> None:
        if name is None:
            for user in User.objects.order_by("username"):
                self.stdout.write(_told(user))
            return
        known = User.objects.filter(username=name).first()
        if known is None and not wish["add"]:
            raise CommandError(f"There is no {name}. With --add it is a new person.")
        password = self._password(name, known) if wish["add"] else ""
        with transaction.atomic():
            user = known or User.objects.create_user(name, password=password)
            _change(user, wish)
            changed = {name: value for name, value in wish.items() if name in CHANGES and value}
            if changed:
                chain.record(verbs.BY_COMMAND, verbs.PERSON, now=clock.now(), detail={"person": name, **changed})
        self.stdout.write(_told(User.objects.get(pk=user.pk)))

    def _password(self, name: str, known: User | None) -> str:
        if known is not None:
            raise CommandError(f"There is a person called {name} already.")
        try:
            User.username_validator(name)
            password = getpass.getpass(f"Password for {name}: ")
            validate_password(password)
        except ValidationError as unfit:
            raise CommandError(" ".join(unfit.messages)) from unfit
        return password


def _change(user: User, wish: dict[str, Any]) -> None:
    if wish["role"]:
        groups.give(user, None if wish["role"] == NONE else Role(wish["role"]))
    if wish["no_teams"]:
        user.teams.clear()
    for name in wish["team"]:
        team, _ = Team.objects.get_or_create(name=name)
        team.members.add(user)
        team.lines.add(*_lines(wish["line"]))
    if wish["email"]:
        user.email = wish["email"]
        user.save(update_fields=["email"])
    if wish["remove"]:
        user.is_active = False
        user.save(update_fields=["is_active"])


def _lines(numbers: list[str]) -> list[Line]:
    found = {line.number: line for line in Line.objects.filter(number__in=numbers)}
    missing = [number for number in numbers if number not in found]
    if missing:
        raise CommandError(f"There is no line {', '.join(missing)}. Lines come from the directory (load_directory).")
    return list(found.values())


def _told(user: User) -> str:
    role = "superuser" if user.is_superuser else groups.role_of(user) or "no role"
    teams = ", ".join(user.teams.values_list("name", flat=True)) or "all lines"
    return f"{user.username}: {role}, {teams}{'' if user.is_active else ', removed'}"
