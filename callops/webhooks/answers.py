"""The documents we answer the carrier with, made from rows; every one has a way out for the caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from callops.calls.addresses import of_call
from callops.calls.correlation import REF_HEADER, SIG_HEADER, sign
from callops.calls.models import Call
from callops.core.config import config
from callops.providers.twilio import documents
from callops.providers.twilio.documents import AiDial, HumanDial, Stand
from callops.transfers.addresses import of_transfer
from callops.transfers.destinations import Target
from callops.transfers.models import Mechanism, TransferAttempt

AI_DIAL_TIMEOUT_S = 8
HUMAN_DIAL_TIMEOUT_S = 20
UNKNOWN_NUMBER = "The number you have dialled is not in service here. Please check the number and call again. Goodbye."
NOBODY = "We are sorry, nobody can take your call right now. Please call again later. Goodbye."
CALLED_BACK = "We are sorry, nobody can take your call right now. We have your number and will call you back. Goodbye."


def ai(call: Call, *, at: datetime, tries: int = 1, then: Sequence[Target] = ()) -> str:
    """Dials the AI, naming the call in a signed header that comes back in OpenAI's webhook (contract Twilio 2.5).

    With more tries, and with targets for afterwards, the caller gets on even while we are down.
    """
    settings = config()
    stands = tuple(_stand(call, target, step) for step, target in enumerate(then))
    headers = ((REF_HEADER, call.pk), (SIG_HEADER, sign(call.pk, key=settings.secret_key, at=at)))
    return documents.dial_ai(
        AiDial(
            sip_uri=f"sip:{settings.openai_project_id}@{settings.openai_sip_host}",
            headers=headers,
            action_url=of_call("dial_ended", call),
            refer_url=of_call("refer", call),
            status_url=of_call("leg", call),
            timeout_s=AI_DIAL_TIMEOUT_S,
            tries=tries,
            then=stands,
        )
    )


def human(attempt: TransferAttempt, target: Target, *, via: Mechanism, step: int) -> str:
    """The transfer document: the same dial whichever way the caller came, marked with that way (design.md, law 6)."""
    return documents.dial_human(
        HumanDial(
            target_uri=target.uri,
            action_url=of_transfer("human_ended", attempt, via=via, step=step),
            status_url=of_transfer("human_leg", attempt, via=via, step=step, screened=target.screened),
            timeout_s=HUMAN_DIAL_TIMEOUT_S,
            screen_url=of_transfer("screen", attempt, via=via, step=step) if target.screened else None,
        )
    )


def ask_for_key(words: str, *, action_url: str) -> str:
    """The screening question on a person's leg; a mailbox presses nothing and is hung up on (contract Twilio 2.2)."""
    return documents.ask_for_key(words, action_url)


def let_through() -> str:
    """The person takes the call: their document ends, and the carrier bridges."""
    return documents.empty()


def turn_away(words: str | None = None) -> str:
    """The person's leg ends; the dial's `action` decides where the caller goes."""
    return documents.hang_up(words)


def bridge(attempt: TransferAttempt) -> str:
    """For a dial that ended while the caller is being moved: harmless when ignored, safe when the redirect was lost."""
    return documents.bridge_then_redirect(of_transfer("transfer", attempt, via=Mechanism.DIAL_ACTION))


def rescue(call: Call, target: Target, *, step: int) -> str:
    """Rings the line's fallback destination for a caller whose AI is gone."""
    return documents.dial_human(
        HumanDial(
            target_uri=target.uri,
            action_url=of_call("rescue_ended", call, step=step),
            status_url=_rescue_leg(call, target, step),
            timeout_s=HUMAN_DIAL_TIMEOUT_S,
            screen_url=_rescue_screen(call, target, step),
        )
    )


def goodbye() -> str:
    """Ends the caller's leg."""
    return documents.hang_up()


def unknown_number() -> str:
    """Says that the number is not ours and hangs up."""
    return documents.hang_up(UNKNOWN_NUMBER)


def nobody(*, call_back: bool = False) -> str:
    """Says that nobody is there, and that the caller is called back if there is a number to call; then hangs up."""
    return documents.apology(CALLED_BACK if call_back else NOBODY)


def nothing() -> str:
    """For a caller who is gone."""
    return documents.empty()


def _stand(call: Call, target: Target, step: int) -> Stand:
    return Stand(target.uri, _rescue_leg(call, target, step), _rescue_screen(call, target, step))


def _rescue_leg(call: Call, target: Target, step: int) -> str:
    return of_call("rescue_leg", call, step=step, **({"screened": 1} if target.screened else {}))


def _rescue_screen(call: Call, target: Target, step: int) -> str | None:
    return of_call("rescue_screen", call, step=step) if target.screened else None
