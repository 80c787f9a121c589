"""Who may read `/metrics` from afar: rooms that know bearer tokens say so here, so that the ground imports no room."""

from __future__ import annotations

from collections.abc import Callable

BearerCheck = Callable[[str], bool]

_checks: list[BearerCheck] = []


def register_bearer(check: BearerCheck) -> BearerCheck:
    """From now on a bearer token is good when `check` says so; usable as a decorator, registering twice is once."""
    if check not in _checks:
        _checks.append(check)
    return check


def bearer_ok(token: str) -> bool:
    """Whether any room vouches for the token."""
    return any(check(token) for check in _checks)
