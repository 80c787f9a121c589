"""What the pages themselves must remember: wrong passwords, and links to the wall."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models


class FailedSignIn(models.Model):
    """One wrong password, for one name, from one address; kept only as long as `throttle` looks back."""

    name = models.CharField(max_length=150)
    address = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["name", "at"], name="failed_sign_in_name"),
            models.Index(fields=["address", "at"], name="failed_sign_in_address"),
        ]

    def __str__(self) -> str:
        return f"{self.name} from {self.address} at {self.at:%H:%M:%S}"


class WallLink(models.Model):
    """An address that shows the wall without signing in, until it expires; only the hash of its key is kept."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    """Whose lines the wall counts: when this person may act no more, the link is dead."""
    name = models.CharField(max_length=60)
    key_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    TYPED: ClassVar = ("name",)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.name

    def is_good(self, now: datetime) -> bool:
        """Whether it still opens the wall."""
        return self.revoked_at is None and now < self.expires_at
