"""The steps of an open transfer: what was done, what is awaited, what was passed over."""

from __future__ import annotations

import pytest

from callops.dashboard.moving_steps import steps_of
from callops.transfers.models import TransferAttempt
from tests.rows import at


@pytest.mark.parametrize(
    ("known", "states"),
    [
        ({}, ["done", "now", "wait"]),
        ({"refer_asked_at": at(1)}, ["done", "done", "now", "wait", "wait"]),
        ({"refer_asked_at": at(1), "refer_seen_at": at(2)}, ["done", "done", "done", "now", "wait"]),
        ({"refer_asked_at": at(1), "redirect_asked_at": at(5)}, ["done", "done", "missed", "done", "now", "wait"]),
        ({"redirect_asked_at": at(1), "document_fetched_at": at(2)}, ["done", "done", "done", "now"]),
    ],
)
def test_one_step_is_the_one_that_is_waited_for(known: dict[str, object], states: list[str]) -> None:
    attempt = TransferAttempt(target_label="Front desk", requested_by="alice", requested_at=at(0), **known)

    assert [each.state for each in steps_of(attempt)] == states
