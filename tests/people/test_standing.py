"""What a person may do, and whose calls they see."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User

from callops.calls.models import Call
from callops.people import groups
from callops.people.models import Team
from callops.people.roles import ROLES, Right, Role
from callops.people.standing import EVERYTHING, NOBODY, Scope, standing_of, standings
from tests.rows import make_call, make_line

pytestmark = pytest.mark.django_db


def person(role: Role | None = None, name: str = "nora") -> User:
    user = User.objects.create_user(name)
    groups.give(user, role)
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize("role", Role)
def test_a_role_is_its_rights_and_nothing_more(role: Role) -> None:
    assert standing_of(person(role)).rights == ROLES[role]


def test_the_migration_made_the_four_groups_as_the_table_says() -> None:
    from django.contrib.auth.models import Group

    for role in Role:
        permissions = Group.objects.get(name=role.value).permissions.select_related("content_type")
        assert {f"{one.content_type.app_label}.{one.codename}" for one in permissions} == set(ROLES[role])


def test_a_person_has_one_role() -> None:
    user = person(Role.ADMINISTRATOR)

    groups.give(user, Role.VIEWER)

    assert groups.role_of(user) == Role.VIEWER
    assert standing_of(User.objects.get(pk=user.pk)).rights == frozenset()


def test_who_could_transfer_before_there_were_roles_can_do_what_they_could() -> None:
    user = person()
    user.user_permissions.add(Permission.objects.get(codename="add_transferattempt"))

    rights = standing_of(User.objects.get(pk=user.pk)).rights

    assert rights == {Right.ACT, Right.INTERVENE, Right.SEE_NUMBERS, Right.EXPORT}


def test_a_superuser_may_everything_and_nobody_nothing() -> None:
    gone = person(Role.ADMINISTRATOR, "gone")
    gone.is_active = False

    assert standing_of(User.objects.create_superuser("root")).rights == frozenset(Right)
    assert standing_of(AnonymousUser()) == standing_of(gone) == NOBODY
    assert not NOBODY.scope.sees_line(None)


def test_a_team_sees_the_calls_of_its_lines_and_no_other() -> None:
    north, south = make_line(), make_line(number="+15550101", name="South")
    ours, theirs, lineless = make_call(north), make_call(south), make_call(None)
    user = person(Role.SUPERVISOR)
    team = Team.objects.create(name="north")
    team.members.add(user)
    team.lines.add(north)

    scope = standing_of(User.objects.get(pk=user.pk)).scope

    assert scope == Scope(frozenset({north.pk}))
    assert list(scope.calls(Call.objects.all())) == [ours]
    assert set(EVERYTHING.calls(Call.objects.all())) == {ours, theirs, lineless}
    assert [scope.sees_line(each.line_id) for each in (ours, theirs, lineless)] == [True, False, False]


def test_a_team_without_lines_sees_nothing_and_an_administrator_sees_all_whatever_the_team() -> None:
    make_call(make_line())
    team = Team.objects.create(name="new")
    viewer, boss = person(Role.VIEWER), person(Role.ADMINISTRATOR, "boss")
    team.members.add(viewer, boss)

    assert not standing_of(User.objects.get(pk=viewer.pk)).scope.calls(Call.objects.all()).exists()
    assert standing_of(User.objects.get(pk=boss.pk)).scope == EVERYTHING


def test_many_people_are_looked_up_with_three_queries(django_assert_num_queries) -> None:
    people = [person(role, f"{role}-{number}") for role in Role for number in range(3)]
    with django_assert_num_queries(3):
        found = standings([user.pk for user in people] + [10_000])

    assert found == {user.pk: standing_of(user) for user in people}
