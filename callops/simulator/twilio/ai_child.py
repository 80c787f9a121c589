"""The AI's leg: one SIP dialog with the OpenAI half (contract Twilio 2.4, 2.5 and 8)."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from callops.simulator.scenario import Scenario
from callops.simulator.sip import AiLeg, Invite
from callops.simulator.twilio.calls import Call, is_number
from callops.simulator.twilio.child import Child, Pulse
from callops.simulator.twilio.leg import Leg
from callops.simulator.twilio.sip_uri import SipUri
from callops.simulator.twilio.twiml import Verb

MAX_REFER_TO = 256
BUSY_CODES = frozenset({486, 600, 603})
NO_ANSWER_CODES = frozenset({408, 480})


class AiChild(Child):
    """Twilio's end of the dialog; a `CarrierLeg` for the OpenAI half."""

    def __init__(self, leg: Leg, noun: Verb, target: SipUri, caller_id: str, pulse: Pulse) -> None:
        call = Call(leg.call.account_sid, caller_id, target.uri, "outbound-dial", leg.call.scenario, leg.call)
        super().__init__(leg, call, noun, pulse, is_sip=True)
        self._target = target
        leg.call.caller.ais_dialled += 1
        self._ai: AiLeg | None = None

    def start(self, timeout_s: int) -> None:
        """Send the INVITE."""
        super().start(timeout_s)
        headers = dialog_headers(self.call, self._target.uri, self.sip_call_id, host="sip.twilio.com")
        headers += sip_identity(self.call)
        if not self.call.scenario.strips_headers:
            headers += self._target.headers
        self.board.note(self.call, "invite", headers=[list(header) for header in headers])
        invite = Invite(self._target.uri, headers, srtp=self._target.secure, scenario=self._met())
        self._ai = self.board.ai.invite(invite, self)

    def _met(self) -> Scenario:
        """The scenario as this dial meets it: the first tries may fail, or those after the first be refused."""
        tried = self.call.caller.ais_dialled
        scenario = self.call.scenario.at_try(tried)
        if tried < 2 or scenario.sip_refuses_again is None:
            return scenario
        return replace(scenario, sip_refuses=scenario.sip_refuses_again)

    def ringing(self) -> None:
        """SIP 180."""
        self.ring()
        self.call.tell("ai_ringing")

    def answered(self) -> None:
        """SIP 200."""
        self.pick_up()
        if self.connected:
            self.call.tell("ai_answered")

    def refused(self, status: int) -> None:
        """A final refusal; also written to the Debugger (contract Twilio 8)."""
        if not self.finish(status_of(status), str(status)):
            return
        self.call.tell("ai_over")
        if status == 400:
            self.board.alerts.sound(self.call.caller, 13224, "Dial: Twilio does not support calling this number")
        elif status not in BUSY_CODES | NO_ANSWER_CODES:
            text = f"SIP: error communicating with your SIP communications infrastructure ({status})"
            self.board.alerts.sound(self.call.caller, 32011, text, level="warning")

    def bye(self) -> None:
        """OpenAI ended the dialog."""
        self._ai = None
        if self.finish("completed"):
            self.call.tell("ai_over")

    def refer(self, refer_to: str) -> None:
        """A REFER; one that comes after the end meets a dead dialog (481), one at a time is carried out."""
        if self.over or self.left_dial or self.referred_to is not None or len(refer_to) > MAX_REFER_TO:
            self.board.note(self.call, "refer_ignored", refer_to=refer_to, over=self.over)
            return
        self.board.note(self.call, "refer", refer_to=refer_to)
        self.referred_to = refer_to
        self._pulse.poke()

    def release_far_end(self) -> None:
        """BYE or CANCEL to the AI, unless it said BYE itself."""
        ai, self._ai = self._ai, None
        if ai is None:
            return
        if self.was_answered:
            ai.bye()
        else:
            ai.cancel()

    def hear(self, key: str) -> None:
        """A key of the caller."""
        if self._ai is not None and self.was_answered:
            self._ai.dtmf(key)


def status_of(code: int) -> str:
    """The call status for a final SIP answer (contract Twilio 8; the mapping is assumed there)."""
    if code in BUSY_CODES:
        return "busy"
    return "no-answer" if code in NO_ANSWER_CODES else "failed"


def dialog_headers(call: Call, to: str, call_id: str, *, host: str) -> tuple[tuple[str, str], ...]:
    """The headers of an INVITE that SIP itself asks for."""
    known = is_number(call.from_)
    user, shown = (call.from_, call.from_) if known else ("anonymous", "Anonymous")
    address = f"sip:{user}@{host}" if known else "sip:anonymous@anonymous.invalid"
    return (
        ("Via", f"SIP/2.0/TLS 192.0.2.24:39214;branch=z9hG4bK{uuid4().hex[:12]}.0;rport"),
        ("Max-Forwards", "69"),
        ("From", f'"{shown}" <{address}>;tag={uuid4().hex[:12]}'),
        ("To", f"<{to}>"),
        ("Call-ID", call_id),
        ("CSeq", "1 INVITE"),
        ("Contact", f"<sip:{user}@192.0.2.24:5061;transport=tls>"),
        ("User-Agent", "Twilio Gateway"),
        ("Allow", "INVITE, ACK, CANCEL, BYE, REFER, NOTIFY, OPTIONS"),
        ("Content-Type", "application/sdp"),
        ("Content-Length", "412"),
    )


def sip_identity(call: Call) -> tuple[tuple[str, str], ...]:
    """The carrier's own headers; the SID is that of this leg, not of the caller's (contract Twilio 2.5)."""
    return (
        ("X-Twilio-ApiVersion", "2010-04-01"),
        ("X-Twilio-AccountSid", call.account_sid),
        ("X-Twilio-CallSid", call.sid),
    )
