"""What a demo has that a real installation makes by hand: lines, desks and somebody who may sign in."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.models import Permission, User
from django.db import transaction

from callops.calls import directory
from callops.site import demo_defaults

DIRECTORY = Path(__file__).with_name("demo_directory.toml")
USERNAME = "supervisor"
MAY = (("calls", "view_call"), ("transfers", "add_transferattempt"))
"""What a supervisor may do: see calls, and move callers."""


def furnish() -> tuple[str, str]:
    """Load the demo's directory and make its supervisor; gives the name and the password to sign in with."""
    password = demo_defaults.kept_secrets()["password"]
    directory.load(DIRECTORY)
    with transaction.atomic():
        user, _ = User.objects.get_or_create(username=USERNAME)
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        for app, codename in MAY:
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return USERNAME, password
