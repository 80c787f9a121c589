"""The wire between the two halves of the stage: one SIP dialog between Twilio and OpenAI.

`twilio/` sends an `Invite` and answers a `CarrierLeg`; `openai/` answers an `AiLeg`.
Neither half imports the other: what they know of each other is in this file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from callops.simulator.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Invite:
    """What OpenAI sees of an INVITE: its URI and its headers in order, repetitions kept."""

    uri: str
    headers: tuple[tuple[str, str], ...]
    srtp: bool = True
    scenario: Scenario = field(default_factory=Scenario)


class CarrierLeg(Protocol):
    """Twilio's end of the dialog, called by the OpenAI half."""

    def ringing(self) -> None:
        """SIP 180 from OpenAI."""

    def answered(self) -> None:
        """SIP 200 from OpenAI: media flows from now on."""

    def refused(self, status: int) -> None:
        """A final SIP answer of 300 or more; the dialog is over."""

    def bye(self) -> None:
        """OpenAI ended the answered dialog."""

    def refer(self, refer_to: str) -> None:
        """A SIP REFER from OpenAI with this Refer-To; what follows is the carrier's affair."""


class AiLeg(Protocol):
    """OpenAI's end of the dialog, called by the Twilio half."""

    def cancel(self) -> None:
        """CANCEL before the answer (the caller or the dial gave up)."""

    def bye(self) -> None:
        """BYE after the answer: the sideband drops as the contract says (OpenAI 4.3)."""

    def dtmf(self, key: str) -> None:
        """The caller pressed a key."""


class AiSide(Protocol):
    """The OpenAI half as Twilio sees it."""

    def invite(self, invite: Invite, carrier: CarrierLeg) -> AiLeg:
        """Start a dialog; everything else happens through the two legs."""
