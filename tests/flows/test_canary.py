"""A canary sings: a test call of our own, transferred to a number that answers by itself, and its proof on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest

from tests.flows.world import World, eventually, hidden

pytestmark = pytest.mark.story
FROM = "+15550188"


def value_of(page: str, select: str, label: str) -> str:
    """The value of the option with this label."""
    options = page[page.index(f'id="{select}"') :].partition("</select>")[0]
    return {name.strip(): value for value, name in re.findall(r'value="(\d+)"[^>]*>([^<]*)<', options)}[label]


def save(desk: httpx.Client, *, is_on: bool) -> int:
    page = desk.get("/desk/").text
    form = hidden(page, 'class="keep"')
    told = {
        "about": "canary",
        "canary-line": value_of(page, "id_canary-line", "Northline canary"),
        "canary-destination": value_of(page, "id_canary-destination", "Loop-back"),
        "canary-from_number": FROM,
        "canary-every_minutes": "10",
        "canary-longest_s": "60",
        **({"canary-is_on": "on"} if is_on else {}),
    }
    return desk.post("/desk/", data={**form, **told}, follow_redirects=False).status_code


@contextmanager
def singing(world: World) -> Iterator[httpx.Client]:
    """The administrator's browser while the canary is on; it sings no more afterwards."""
    with closing(world.signed_in()) as desk:
        assert save(desk, is_on=True) == 303
        try:
            yield desk
        finally:
            save(desk, is_on=False)


@pytest.mark.timeout(120)
def test_a_canary_sings_and_the_page_says_what_moved_it(world: World) -> None:
    world.stage.post("/_stage/dialled", json={"scenario": "silent_caller", "human_answers_after_s": 1})

    with singing(world) as desk:

        def sang() -> bool:
            page = desk.get("/transfers/").text
            series = page.partition('aria-label="Canary"')[2].partition("</section>")[0]
            return "Northline canary" in series and "1 of 1 arrived" in series and "Twilio redirect" in series

        eventually(sang, "the canary's transfer is proven on the page", within_s=60)
    (call,) = world.http.get("/api/calls", params={"q": FROM}).json()["items"]
    world.until(call["id"], lambda seen: seen["state"] == "ended", "the test call was hung up")
    (transfer,) = world.call(call["id"])["transfers"]
    assert transfer["requested_by"] == "the canary"
    assert (transfer["mechanism"], transfer["outcome"]) == ("redirect", "connected")
