"""refer: silent, late, refused or lost, as the scenario says; and what reaches the carrier."""

from __future__ import annotations

import aiohttp
import pytest

from tests.simulator.openai.test_rest import NAMES
from tests.simulator.openai.theatre import Theatre, open_theatre, until

TEL, SIP = "tel:+15550177", "sip:desk@example.com"


async def test_the_usual_refer_is_a_silent_200_without_names(theatre: Theatre) -> None:
    dialog = await theatre.answered()

    reply = await dialog.post("refer", {"target_uri": TEL})

    assert (reply.status, reply.text, reply.headers["content-length"]) == (200, "", "0")
    assert not any(name in reply.headers for name in NAMES)
    assert not dialog.carrier.heard("refer")


async def test_a_refer_that_works_has_names_and_reaches_the_carrier(theatre: Theatre) -> None:
    dialog = await theatre.answered(refer="works")

    reply = await dialog.post("refer", {"target_uri": TEL})

    assert reply.status == 200
    assert all(name in reply.headers for name in NAMES)
    assert dialog.carrier.told[-1] == ("refer", f"<{TEL}>")


async def test_a_late_refer_leaves_after_its_200_if_the_dialog_lives(theatre: Theatre) -> None:
    living = await theatre.answered(refer="late", refer_late_by_s=0.3)
    ended = await theatre.answered(refer="late", refer_late_by_s=0.2)

    for dialog in (living, ended):
        assert "x-request-id" not in (await dialog.post("refer", {"target_uri": TEL})).headers
        if dialog is ended:
            dialog.call.bye()
    await until(lambda: living.carrier.heard("refer"))
    assert not ended.carrier.heard("refer")


@pytest.mark.parametrize(
    ("mode", "target", "status"),
    [
        ("tel_400", TEL, 400),
        ("tel_400", SIP, 200),
        ("http_404", TEL, 404),
        ("http_409", TEL, 409),
        ("http_500", TEL, 500),
    ],
)
async def test_refer_fails_as_the_scenario_says(theatre: Theatre, mode: str, target: str, status: int) -> None:
    dialog = await theatre.answered(refer=mode)

    reply = await dialog.post("refer", {"target_uri": target})

    assert reply.status == status
    assert dialog.carrier.heard("refer") is (status == 200)


@pytest.mark.parametrize("mode", ["hang", "dropped"])
async def test_refer_can_end_without_an_answer(mode: str) -> None:
    async with open_theatre(refer_hangs_s=0.03) as theatre:
        dialog = await theatre.answered(refer=mode)

        with pytest.raises(aiohttp.ClientError):
            await dialog.post("refer", {"target_uri": TEL})


@pytest.mark.parametrize(
    "body",
    [
        {"target_uri": "+15550177"},
        {"target_uri": 15550177},
        {"target_uri": TEL, "timeout": 3},
        {"target_uri": "tel:5550177"},
        [TEL],
    ],
)
async def test_refer_takes_exactly_a_target(theatre: Theatre, body: object) -> None:
    dialog = await theatre.answered(refer="works")

    assert (await dialog.post("refer", body)).status == 400
    assert not dialog.carrier.heard("refer")


async def test_refer_on_an_ended_call_is_a_404(theatre: Theatre) -> None:
    dialog = await theatre.answered()
    dialog.call.bye()

    assert (await dialog.post("refer", {"target_uri": TEL})).error["code"] == "call_id_not_found"
