"""Roles given and taken: a person has one role, or none."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import Q

from callops.people.roles import ROLES, Role


def group_of(role: Role) -> Group:
    """The role's group, with its permissions; made when it is not there (the migration makes all four)."""
    group, made = Group.objects.get_or_create(name=role.value)
    if made:
        wanted = Q(pk__in=[])
        for right in ROLES[role]:
            app, _, codename = right.partition(".")
            wanted |= Q(content_type__app_label=app, codename=codename)
        group.permissions.set(Permission.objects.filter(wanted))
    return group


def role_of(user: User) -> Role | None:
    """The person's role; None when they have none."""
    names = set(user.groups.values_list("name", flat=True))
    return next((role for role in Role if role.value in names), None)


@transaction.atomic
def give(user: User, role: Role | None) -> None:
    """The person has this role and no other of ours."""
    user.groups.remove(*Group.objects.filter(name__in=[each.value for each in Role]))
    if role is not None:
        user.groups.add(group_of(role))
