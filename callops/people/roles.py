"""The four roles, and the permissions each of them is. One table; docs/security.md shows it, a test compares."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Right(StrEnum):
    """What a person may do, by the name of Django's permission."""

    SEE_NUMBERS = "people.see_numbers"
    EXPORT = "people.export"
    REVEAL = "people.reveal"
    ADMINISTER = "people.administer"
    ACT = "transfers.add_transferattempt"
    TYPE_NUMBER = "transfers.type_number"
    INTERVENE = "supervision.add_intervention"
    KEEP_DESK = "supervision.add_price"


class Role(StrEnum):
    """The names of the groups."""

    VIEWER = "viewer"
    SUPERVISOR = "supervisor"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"


ROLES: Final[dict[Role, frozenset[Right]]] = {
    Role.VIEWER: frozenset(),
    Role.SUPERVISOR: frozenset({Right.SEE_NUMBERS, Right.EXPORT, Right.ACT, Right.INTERVENE}),
    Role.ANALYST: frozenset({Right.SEE_NUMBERS, Right.EXPORT}),
    Role.ADMINISTRATOR: frozenset(Right),
}
"""Everybody who is signed in sees calls; numbers are masked for whoever may not read them."""

IMPLIED: Final = frozenset({Right.SEE_NUMBERS, Right.EXPORT, Right.INTERVENE})
"""Who may transfer callers has these too, by whatever way the permission came: it was so before there were roles."""
