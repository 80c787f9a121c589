"""The API does what /api/openapi.json says, whatever is asked: requests made from the document by schemathesis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from callops.api.tokens import issue
from callops.core.rates import rates
from tests.fuzzing import EXAMPLES
from tests.people.test_table import TABLE, House

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """Requests leave the test's own transaction open, as those of Django's test client do."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


class Script(House):
    """A call with a transfer, and a superuser's token."""

    def __init__(self) -> None:
        super().__init__()
        self.token = issue(User.objects.get(username="maker"), NOON)


@pytest.fixture
def house(one_connection: None) -> Script:
    return Script()


schema = schemathesis.openapi.from_wsgi("/api/openapi.json", get_wsgi_application())
OPERATIONS = {found.ok().label: found.ok() for found in schema.get_all_operations()}
SENTENCES = [negative_data_rejection, positive_data_acceptance]
"""An empty parameter counts as not given, and what no schema can say is said in a sentence with 422."""


def cases(label: str) -> st.SearchStrategy[Any]:
    """Requests as the document wants them, and such as it does not."""
    return st.one_of(*(OPERATIONS[label].as_strategy(generation_mode=mode) for mode in GenerationMode))


def test_the_document_has_every_operation() -> None:
    assert {path for method, path in TABLE if path.startswith("api/calls")} <= {
        label.partition(" ")[2].strip("/").replace("{", "<").replace("}", ">") for label in OPERATIONS
    }


@pytest.mark.parametrize("label", OPERATIONS)
@settings(max_examples=EXAMPLES // 2, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_every_operation_answers_as_its_document_says(house: Script, label: str, data: st.DataObject) -> None:
    case = data.draw(cases(label))
    known = {"call_id": house.call.pk, "transfer_id": house.attempt.pk}
    if case.path_parameters and data.draw(st.booleans()):
        case.path_parameters = {name: known[name] for name in case.path_parameters}
    for name in [name for name in case.headers or {} if name.lower() == "host"]:
        del case.headers[name]  # another house is asked then, which the document is not about
    rates.forget()

    case.call_and_validate(headers={"Authorization": f"Bearer {house.token}"}, excluded_checks=SENTENCES)
