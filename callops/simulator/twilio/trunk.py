"""A call on an Elastic SIP Trunk: one dialog with OpenAI, no webhooks, REFER per transfer mode (contract Twilio 4)."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from callops.simulator.scenario import Human, Scenario
from callops.simulator.sip import AiLeg, Invite
from callops.simulator.twilio.ai_child import dialog_headers, status_of
from callops.simulator.twilio.calls import Call, NotRedirectable
from callops.simulator.twilio.documents import Source
from callops.simulator.twilio.inbound import callers_leg, live_inbound
from callops.simulator.twilio.switchboard import Switchboard

RINGS_S = 30.0
ENDINGS: dict[Human, tuple[str, float]] = {
    "busy": ("busy", 1.5),
    "fails": ("failed", 0.5),
    "no_answer": ("no-answer", RINGS_S),
}


class TrunkCall:
    """The trunk's one leg; a `CarrierLeg` for the OpenAI half."""

    def __init__(self, board: Switchboard, scenario: Scenario) -> None:
        config = board.config
        to = f"sip:{scenario.to_number}@public-vip.us1.twilio.com"
        self.call = Call(
            config.account_sid,
            scenario.from_number,
            to,
            "trunking-originating",
            scenario,
            trunk_sid=config.trunk_sid,
        )
        self.call.actor = self
        self._board = board
        self._ai: AiLeg | None = None
        self._transfer: asyncio.Task[None] | None = None
        self._child: Call | None = None

    def start(self) -> None:
        """Send the INVITE to the origination URL."""
        board, call = self._board, self.call
        board.open_call(call)
        uri = board.config.trunk_origination_url
        _, _, place = uri.partition("@")
        to = f"sip:{call.scenario.to_number}@{place}"
        headers = (
            *dialog_headers(call, to, f"{uuid4().hex}@0.0.0.0", host="pstn.twilio.com"),
            ("X-Twilio-AccountSid", call.account_sid),
            ("X-Twilio-CallSid", call.sid),
            ("X-Twilio-VerStat", "TN-Validation-Passed-A"),
        )
        board.note(call, "invite", headers=[list(header) for header in headers])
        self._ai = board.ai.invite(Invite(uri, headers, srtp=True, scenario=call.scenario), self)

    def ringing(self) -> None:
        """SIP 180."""
        self.call.tell("ai_ringing")

    def answered(self) -> None:
        """SIP 200."""
        if self.call.move("in-progress"):
            self._board.note(self.call, "answered")
            self.call.tell("ai_answered")

    def refused(self, status: int) -> None:
        """Origination failed: a warning, then the disaster recovery URL, if there is one."""
        self._ai = None
        text = f"SIP: error communicating with your SIP communications infrastructure ({status})"
        self._board.alerts.sound(self.call, 32011, text, level="warning")
        self.call.tell("ai_over")
        recovery = self._board.config.disaster_recovery_url
        if recovery is None:
            self._finish(status_of(status))
        elif not self.call.ended:
            self._recover(recovery)

    def _recover(self, url: str) -> None:
        """The call goes on as one of Programmable Voice."""
        call = self.call
        call.direction, call.to, call.trunk_sid = "inbound", call.scenario.to_number, None
        self._board.spawn(live_inbound(callers_leg(self._board, call), voice_url=url))

    def bye(self) -> None:
        """OpenAI ended the dialog: so does the call, unless its transfer is on the way or done."""
        self._ai = None
        self.call.tell("ai_over")
        if self._transfer is None:
            self._finish("completed")

    def refer(self, refer_to: str) -> None:
        """Carry out a REFER, or refuse it as the trunk's transfer mode says (32218)."""
        call, mode = self.call, self.call.scenario.trunk_transfer_mode
        target = refer_to.strip("<>")
        to_sip = target.startswith("sip:") and ".pstn.twilio.com" not in target
        if mode == "disable-all" or (mode == "sip-only" and not to_sip):
            self._board.alerts.sound(call, 32218, "SIP: Transfer not allowed")
        elif call.ended or self._transfer is not None:
            self._board.note(call, "refer_ignored", refer_to=refer_to)
        else:
            self._board.note(call, "refer", refer_to=refer_to)
            call.tell("transfer_asked")
            self._transfer = self._board.spawn(self._dial(target))

    async def _dial(self, target: str) -> None:
        call, scenario = self.call, self.call.scenario
        to = target.removeprefix("tel:")
        child = Call(call.account_sid, call.from_, to, call.direction, scenario, call, call.trunk_sid)
        self._child = self._board.open_call(child)
        call.humans_dialled += 1
        human = scenario.human if call.humans_dialled == 1 else scenario.second_human
        if human in ENDINGS:
            status, after_s = ENDINGS[human]
            await asyncio.sleep(after_s / scenario.speed)
            self._return_to_ai(child, status)
            return
        await asyncio.sleep(scenario.human_answers_after_s / scenario.speed)
        if not child.move("in-progress"):
            return
        self._board.note(child, "answered")
        call.tell("human_answered")
        self._release_ai()
        await asyncio.sleep(scenario.human_talks_s / scenario.speed)
        self._finish("completed")

    def _return_to_ai(self, child: Call, status: str) -> None:
        child.move(status)
        self._transfer = None
        self._board.note(self.call, "back_to_ai")
        self.call.tell("back_to_ai")
        if self._ai is None:
            self._finish("completed")

    def _release_ai(self) -> None:
        ai, self._ai = self._ai, None
        if ai is None:
            return
        if self.call.answered_at is None:
            ai.cancel()
        else:
            ai.bye()

    def _finish(self, status: str) -> None:
        answered = self.call.answered_at is not None
        if not self.call.move(status if answered or status != "completed" else "no-answer"):
            return
        self._board.note(self.call, "ended")
        self._release_ai()
        if self._child is not None:
            self._child.move("completed" if self._child.answered_at else "canceled")
        self.call.tell("ended")

    def redirect(self, source: Source) -> None:
        """A trunk call cannot be redirected (contract Twilio 4: assumed)."""
        raise NotRedirectable

    def end(self) -> None:
        """The caller hung up, or REST ended the call."""
        self._finish("completed")

    def press(self, key: str) -> None:
        """A key of the caller."""
        if self._ai is not None and self.call.answered_at is not None:
            self._ai.dtmf(key)


def is_listed(call: Call, calls: dict[str, Call]) -> bool:
    """Whether REST shows the call: a live trunk call is hidden until it has a child (contract Twilio 4)."""
    if call.trunk_sid is None or call.ended or call.parent is not None:
        return True
    return any(other.parent is call for other in calls.values())
