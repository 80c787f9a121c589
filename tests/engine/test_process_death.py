"""`kill -9` between any two steps of a transfer: after a restart it comes to the same end.

What a process has not committed or sent is gone with it, so the places where it may die are the engine's seams: before
each transaction and each request, between a request's taking effect and its answer, and after the last of them. The
stories are told once; at every seam a second telling goes on without the process, and with another one.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from callops.transfers.models import TransferAttempt
from tests.street.jobs import seams
from tests.street.stories import Story
from tests.street.world import Budget, World

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]

REFER = "refer_then_redirect"
STORIES = {
    "a silent REFER, then the redirect": (REFER, []),
    "a REFER that works": (REFER, ["REFER arrives"]),
    "a redirect that took effect and whose answer was lost": (
        "redirect_only",
        ["redirect is applied", "redirect is not answered"],
    ),
    "a redirect that was lost": ("redirect_only", ["redirect is not answered"]),
    "429 three times, then the end of the AI's leg": ("redirect_only", ["429", "429", "429"]),
}
AWAY_S = (0.0, 120.0)
"""How long nobody works: another engine is there already, or everything due has passed long ago."""


@pytest.fixture(autouse=True)
def _seams(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with seams(monkeypatch):
        yield


def told(name: str) -> Story:
    policy, wishes = STORIES[name]
    world = World(policies=(policy,), budget=Budget(cancels=0, deaths=0, faults=4, departures=0))
    return Story(world.begin(), list(wishes))


def end_of(story: Story) -> tuple[str, str, int, int]:
    """How the transfer ended: state, outcome, humans reached, humans rung."""
    attempt = TransferAttempt.objects.get()
    seen = story.world.street.seen
    return attempt.state, attempt.outcome, len(seen.bridged), len(seen.dialled)


def is_a_step_of_ours(move: str) -> bool:
    """Whether the move is one of the engine's: a seam is behind it."""
    return move.startswith("a")


@pytest.mark.parametrize("name", STORIES)
def test_a_process_that_dies_anywhere_leads_to_the_same_end(name: str) -> None:
    story, deaths, ends = told(name), 0, []
    move: str | None = "a looks"
    while move is not None:
        if is_a_step_of_ours(move):
            deaths += 1
            for away_s in AWAY_S:
                with story.aside() as other:
                    other.kill()
                    other.alone_for(away_s)
                    other.to_the_end()
                    ends.append((end_of(other), deaths, away_s))
        move = story.step()

    assert end_of(story) == ("settled", "connected", 1, 1)
    assert [end for end in ends if end[0] != end_of(story)] == []
    assert deaths > 5


def test_deadlines_that_passed_while_nobody_worked_fire_at_once() -> None:
    story = told("a silent REFER, then the redirect")
    while "refer is answered 200" not in (story.step() or ""):
        pass
    story.kill()
    story.alone_for(120)
    restarted_at = story.world.now

    story.wishes = ["redirect is applied"]
    while story.wishes:
        story.step()

    attempt = TransferAttempt.objects.get()
    assert (attempt.redirect_asked_at - restarted_at).total_seconds() < 1
    assert (attempt.evidence.get(kind="deadline_passed").at - restarted_at).total_seconds() < 1
