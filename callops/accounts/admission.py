"""Who may come in by the provider's word, and with which role. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from callops.people.roles import Role

STRONGEST_FIRST: Final = (Role.ADMINISTRATOR, Role.SUPERVISOR, Role.ANALYST, Role.VIEWER)


@dataclass(frozen=True, slots=True)
class Rules:
    """`OIDC_DOMAINS`, `OIDC_ROLES` and `OIDC_GROUPS_CLAIM`."""

    domains: tuple[str, ...]
    roles: tuple[tuple[str, str], ...]
    """A group at the provider and our role for it."""
    groups_claim: str


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether this person may come in; `why_not` is empty then."""

    email: str = ""
    role: Role | None = None
    may_be_new: bool = False
    why_not: str = ""


def admit(claims: Mapping[str, Any], rules: Rules) -> Admission:
    """What the provider's claims about a person let them do.

    With neither domains nor roles set, only people who are there already come in.
    """
    email = str(claims.get("email") or "").strip().lower()
    if "@" not in email or claims.get("email_verified") not in (True, "true"):
        return Admission(why_not="The provider did not confirm an e-mail address.")
    role = role_of(claims, rules)
    if not rules.domains and not rules.roles:
        return Admission(email)
    domain = email.rpartition("@")[2]
    if role is None and domain not in rules.domains:
        return Admission(email, why_not=f"People of {domain} are not let in here.")
    return Admission(email, role, may_be_new=True)


def role_of(claims: Mapping[str, Any], rules: Rules) -> Role | None:
    """The strongest role that the groups of this person give."""
    told = claims.get(rules.groups_claim)
    groups = {told} if isinstance(told, str) else set(map(str, told)) if isinstance(told, list) else set()
    given = {role for group, role in rules.roles if group in groups}
    return next((role for role in STRONGEST_FIRST if role.value in given), None)
