"""What the pages themselves must remember: wrong passwords."""

from __future__ import annotations

from typing import ClassVar

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
