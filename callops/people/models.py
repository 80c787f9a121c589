"""Teams: whose calls a person sees. Roles are Django's groups, what they may do are Django's permissions."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from callops.calls.models import Line


class Team(models.Model):
    """People who see the calls of these lines and of no other. Who is in no team sees all lines."""

    name = models.CharField(max_length=80, unique=True)
    lines = models.ManyToManyField(Line, blank=True, related_name="teams")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="teams")

    class Meta:
        ordering: ClassVar = ["name"]
        permissions: ClassVar = [
            ("see_numbers", "Can read callers' numbers"),
            ("export", "Can take evidence and reports out of the house"),
            ("reveal", "Can read what was redacted, with a reason"),
            ("administer", "Can keep people, settings and the audit, and sees every line"),
        ]

    def __str__(self) -> str:
        return self.name
