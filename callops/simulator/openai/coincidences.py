"""What befalls a dialog at the very moment a transfer is asked for: the races of contract Twilio 3.3."""

from __future__ import annotations

from typing import Protocol

from callops.simulator.scenario import Scenario


class Dialog(Protocol):
    """The dialog as a coincidence may touch it."""

    @property
    def scenario(self) -> Scenario:
        """What is to happen on this call."""

    def refer(self, target_uri: str) -> None:
        """Send a REFER if the dialog lives."""

    def leave_in(self, seconds: float) -> None:
        """End by itself after this long, unless the dialog is over by then."""


class Coincidences:
    """Told of the moments; lets the scenario's accidents happen in them."""

    def __init__(self, dialog: Dialog) -> None:
        self._dialog = dialog
        self._refer_target: str | None = None

    def refer_asked(self, target_uri: str) -> None:
        """A REFER was asked of OpenAI."""
        self._refer_target = target_uri
        if self._dialog.scenario.ai_hangs_up_after_refer_s is not None:
            self._dialog.leave_in(self._dialog.scenario.ai_hangs_up_after_refer_s)

    def redirect_asked(self) -> None:
        """A redirect of the caller arrives at the carrier, which has not acted on it yet."""
        if self._dialog.scenario.refer == "with_redirect":
            self.let_refer_leave()
        if self._dialog.scenario.ai_hangs_up_at_redirect:
            self._dialog.leave_in(0.0)

    def let_refer_leave(self) -> None:
        """The REFER that was asked for last leaves now; nothing when none was asked for, or it was let go before."""
        target, self._refer_target = self._refer_target, None
        if target is not None:
            self._dialog.refer(target)
