"""The audit: who did, read or took what. Rows are only ever added, and each holds the hash of the one before."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models


class Unchangeable(Exception):
    """A row of the audit is neither changed nor deleted."""


class Entry(models.Model):
    """One act or one reading. `digest` is SHA-256 over `before` and the row (`chain.digest_of`)."""

    number = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    who = models.CharField(max_length=150)
    verb = models.CharField(max_length=40)
    call = models.CharField(max_length=26, blank=True, default="")
    """The id of the call it is about; the audit outlives the call."""
    detail = models.JSONField(default=dict)
    before = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["-number"]
        indexes: ClassVar = [
            models.Index(fields=["who", "-number"]),
            models.Index(fields=["verb", "-number"]),
            models.Index(fields=["call", "-number"]),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.who} {self.verb}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Adds the row; raises `Unchangeable` for one that is there already."""
        if not self._state.adding:
            raise Unchangeable(f"Entry {self.number} of the audit cannot be changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raises `Unchangeable`."""
        raise Unchangeable(f"Entry {self.number} of the audit cannot be deleted.")


class Anchor(models.Model):
    """Where the chain that is kept begins, one row: the last entry that was forgotten when its time had come.

    The entry by which it was forgotten (`chain.forget`) says the same, so that a later cut by somebody else shows.
    """

    number = models.BigIntegerField()
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"the audit is kept from after {self.number}"


class Head(models.Model):
    """The end of the chain, one row: whoever adds locks it, so that numbers have no gap."""

    number = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"the audit ends with {self.number}"
