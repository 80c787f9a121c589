"""Where a person stands now: what they may do, and whose calls they see. Read from the database when it matters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet

from callops.core.prepared import Asked, Prepared, among
from callops.people.models import Team
from callops.people.roles import IMPLIED, Right

Rows = TypeVar("Rows", bound=QuerySet[Any])


@dataclass(frozen=True, slots=True)
class Scope:
    """The lines whose calls are seen; None: all of them, and calls of no line."""

    lines: frozenset[int] | None = None

    def calls(self, rows: Rows, call: str = "") -> Rows:
        """Those of the rows whose call is seen; `call` is the way from the row to its call: `call__`."""
        return rows if self.lines is None else rows.filter(**{f"{call}line__in": self.lines})

    @property
    def as_q(self) -> Q:
        """The same for calls, as a condition."""
        return Q() if self.lines is None else Q(line__in=self.lines)

    def sees_line(self, line_id: int | None) -> bool:
        """Whether calls of this line are seen."""
        return self.lines is None or line_id in self.lines


EVERYTHING: Final = Scope()


@dataclass(frozen=True, slots=True)
class Standing:
    """One person's rights and scope; without `is_active` there is neither."""

    is_active: bool
    rights: frozenset[Right] = frozenset()
    scope: Scope = EVERYTHING
    proof: str = field(default="", repr=False)
    """Changes with the password: who held an older one has to come back and sign in."""

    def may(self, right: Right) -> bool:
        """Whether the person has this right now."""
        return self.is_active and right in self.rights


_KEPT: Final = "_callops_standing"
NOBODY: Final = Standing(is_active=False, scope=Scope(frozenset()))


def standing_of(user: User | AnonymousUser | Any) -> Standing:
    """Where this person stands. At most two queries, and none when the same user object is asked again."""
    if not isinstance(user, User) or not user.is_active:
        return NOBODY
    known: Standing | None = user.__dict__.get(_KEPT)
    if known is None:
        known = user.__dict__[_KEPT] = _of([user])[user.pk]
    return known


def standings(user_ids: Collection[int]) -> Mapping[int, Standing]:
    """Where these people stand now; who is missing is nobody any more. Three queries, however many people."""
    return _of(User.objects.filter(pk__in=user_ids, is_active=True))


def _of(users: Iterable[User]) -> dict[int, Standing]:
    people = list(users)
    plain = [user.pk for user in people if not user.is_superuser]
    held = _permissions(plain) if plain else {}
    rights = {user.pk: _rights(held.get(user.pk, ()), is_superuser=user.is_superuser) for user in people}
    bound = [pk for pk, their in rights.items() if Right.ADMINISTER not in their]
    lines = _lines_by_user(bound) if bound else {}
    scopes = {pk: Scope(lines[pk]) if pk in lines else EVERYTHING for pk in rights}
    return {user.pk: Standing(True, rights[user.pk], scopes[user.pk], user.get_session_auth_hash()) for user in people}


def _permissions(user_ids: Collection[int]) -> dict[int, set[str]]:
    """The permissions of each person, their own and their groups'."""
    found: dict[int, set[str]] = {}
    for user_id, app, codename in _HELD(users=user_ids):
        found.setdefault(user_id, set()).add(f"{app}.{codename}")
    return found


def _held() -> QuerySet[Any, Any]:
    own = User.user_permissions.through.objects.filter(among("user_id", Asked("users")))
    given = User.groups.through.objects.filter(among("user_id", Asked("users")))
    path = ("permission__content_type__app_label", "permission__codename")
    return own.values_list("user_id", *path).union(
        given.values_list("user_id", *(f"group__permissions__{name.removeprefix('permission__')}" for name in path))
    )


_HELD: Final = Prepared(_held)


def _rights(permissions: Collection[str], *, is_superuser: bool) -> frozenset[Right]:
    held = frozenset(right for right in Right if is_superuser or right in permissions)
    return held | IMPLIED if Right.ACT in held else held


def _lines_by_user(user_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """The lines of each person's teams; who is in no team is missing."""
    lines: dict[int, set[int]] = {}
    for user_id, line_id in _TEAMED(users=user_ids):
        lines.setdefault(user_id, set()).update(() if line_id is None else (line_id,))
    return {user_id: frozenset(found) for user_id, found in lines.items()}


def _teamed() -> QuerySet[Any, Any]:
    rows = Team.members.through.objects.filter(among("user_id", Asked("users")))
    return rows.values_list("user_id", "team__lines")


_TEAMED: Final = Prepared(_teamed)
