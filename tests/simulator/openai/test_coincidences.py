"""What happens at OpenAI's end at the very moment a transfer is asked for."""

from __future__ import annotations

from tests.simulator.openai.test_rest import NAMES
from tests.simulator.openai.theatre import Theatre, until

TEL = "tel:+15550177"


async def test_a_refer_may_have_names_and_still_never_leave(theatre: Theatre) -> None:
    dialog = await theatre.answered(refer="named_silent")

    reply = await dialog.post("refer", {"target_uri": TEL})

    assert reply.status == 200
    assert all(name in reply.headers for name in NAMES)
    assert not dialog.carrier.heard("refer")


async def test_the_ai_may_leave_by_itself_a_moment_after_a_refer_was_asked(theatre: Theatre) -> None:
    dialog = await theatre.answered(ai_hangs_up_after_refer_s=0.05, refer_latency_s=0.1)

    reply = await dialog.post("refer", {"target_uri": TEL})

    await until(lambda: dialog.carrier.heard("bye"))
    assert reply.status == 200
    assert any(entry["kind"] == "sip.over" and entry["how"] == "ended by itself" for entry in theatre.stage.record)


async def test_without_a_refer_the_ai_stays(theatre: Theatre) -> None:
    dialog = await theatre.answered(ai_hangs_up_after_refer_s=0.0, ai_hangs_up_at_redirect=False)

    dialog.call.coincidences.redirect_asked()

    assert not dialog.carrier.heard("bye")


async def test_a_refer_may_leave_only_when_the_redirect_is_asked_and_only_once(theatre: Theatre) -> None:
    dialog = await theatre.answered(refer="with_redirect")

    reply = await dialog.post("refer", {"target_uri": TEL})
    assert not dialog.carrier.heard("refer")
    dialog.call.coincidences.redirect_asked()
    dialog.call.coincidences.redirect_asked()

    assert "x-request-id" not in reply.headers
    assert [told for told in dialog.carrier.told if told[0] == "refer"] == [("refer", f"<{TEL}>")]


async def test_a_redirect_without_a_refer_before_it_makes_none(theatre: Theatre) -> None:
    dialog = await theatre.answered(refer="with_redirect")

    dialog.call.coincidences.redirect_asked()

    assert not dialog.carrier.heard("refer")


async def test_the_ai_may_leave_by_itself_when_the_redirect_is_asked(theatre: Theatre) -> None:
    dialog = await theatre.answered(ai_hangs_up_at_redirect=True)

    dialog.call.coincidences.redirect_asked()

    await until(lambda: dialog.carrier.heard("bye"))
