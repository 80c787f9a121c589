"""What is said is written several times a second, to every index of its tables."""

from __future__ import annotations

import pytest
from django.db import connection

from callops.sideband.models import FrameBatch, Turn


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Turn, FrameBatch])
def test_no_index_of_the_busiest_tables_begins_another(model: type[Turn | FrameBatch]) -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    indexes = {name: kind["columns"] for name, kind in found.items() if kind["index"] or kind["unique"]}

    assert indexes
    for name, columns in indexes.items():
        longer = [other for each, other in indexes.items() if each != name and other[: len(columns)] == columns]
        assert not (columns and longer), (name, longer)
