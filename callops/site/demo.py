"""What a demo has that a real installation makes by hand: lines, desks and somebody who may sign in."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction

from callops.calls import directory
from callops.people import groups
from callops.people.roles import Role
from callops.site import demo_defaults

DIRECTORY = Path(__file__).with_name("demo_directory.toml")
USERNAME = "supervisor"


def furnish() -> tuple[str, str]:
    """Load the demo's directory and make its supervisor, who may everything; gives name and password."""
    password = demo_defaults.kept_secrets()["password"]
    directory.load(DIRECTORY)
    with transaction.atomic():
        user, _ = User.objects.get_or_create(username=USERNAME)
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        groups.give(user, Role.ADMINISTRATOR)
    return USERNAME, password
