"""Bearer tokens of the JSON API: only their hashes are stored."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class ApiToken(models.Model):
    """A token that stands for its user; whoever holds it may do what the user may."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True)
    """SHA-256 of the token, in hexadecimal."""
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    """True to the minute."""

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"token {self.digest[:8]} of {self.user}"
