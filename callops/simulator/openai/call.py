"""One SIP dialog on OpenAI's side: ringing, the decision, the conversation, the end (contract OpenAI 1.5, 3, 4)."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any

from aiohttp import WSCloseCode

from callops.simulator.openai import ids
from callops.simulator.openai.coincidences import Coincidences
from callops.simulator.openai.config import OpenAiConfig
from callops.simulator.openai.conversations import played
from callops.simulator.openai.desk import Desk
from callops.simulator.openai.floor import Floor
from callops.simulator.openai.ledger import server_event
from callops.simulator.openai.record import Record
from callops.simulator.openai.render import key_press
from callops.simulator.openai.schema import Invalid
from callops.simulator.openai.session import opened
from callops.simulator.openai.sideband import Sideband
from callops.simulator.openai.webhook import Courier
from callops.simulator.sip import CarrierLeg, Invite

URI = re.compile(r"sips?:(?P<project>[^@;?]+)@[^;?@]+(?P<parameters>(?:;[^;?]+)*)")
DEAD_AFTER_S = 0.5
"""An accepted call that was dead from the start: from the 200 to the SIP 400 (contract OpenAI 5.2 #3)."""
EXPIRED = "Your session hit the maximum duration of 60 minutes."
DECLINE, BAD_REQUEST, FORBIDDEN, NOT_FOUND = 603, 400, 403, 404


class State(StrEnum):
    """Where the dialog stands."""

    RINGING = "ringing"
    ACCEPTED = "accepted"
    DEAD = "dead"
    ANSWERED = "answered"
    OVER = "over"


def turned_away(invite: Invite, project_id: str) -> int | None:
    """The SIP code for an INVITE that no project takes: 404, or 403 for a garbled Contact (contract OpenAI 5.2 #8)."""
    found = URI.fullmatch(invite.uri.partition("?")[0])
    if found is None or found["project"] != project_id or ";transport=tls" not in found["parameters"].lower():
        return NOT_FOUND
    contacts = (value.lower() for name, value in invite.headers if name.lower() in ("contact", "m"))
    return FORBIDDEN if any(value.count(";transport=tls") > 1 for value in contacts) else None


class AiCall:
    """A call as OpenAI has it. It is also the `AiLeg` that the carrier holds."""

    def __init__(
        self,
        invite: Invite,
        carrier: CarrierLeg,
        *,
        config: OpenAiConfig,
        record: Record,
        caller_leaves: Callable[[AiCall], None] | None,
    ) -> None:
        self.id = ids.fresh("rtc_u1_")
        self.session_id = "sess_" + self.id.removeprefix("rtc_")
        self.invite = invite
        self.scenario = invite.scenario
        self.state = State.RINGING
        self.decided = False
        self.over = asyncio.Event()
        self.floor: Floor | None = None
        self.desk: Desk | None = None
        self.sidebands: list[Sideband] = []
        self.coincidences = Coincidences(self)
        self.accepts_failed = 0
        self.forsaken = False
        """The caller gave up before the answer and OpenAI did not notice: a ghost from the accept on."""
        self._carrier = carrier
        self._config = config
        self._record = record
        self._caller_leaves = caller_leaves
        self._play = played(self.scenario)
        self._webhook_answered = asyncio.Event()
        self._attached = asyncio.Event()
        self._accepted_at = 0.0
        self._works: set[asyncio.Task[None]] = set()

    def header(self, name: str) -> str | None:
        """The first header of the INVITE with this name, whatever its case."""
        return next((value for key, value in self.invite.headers if key.lower() == name.lower()), None)

    def ring(self, courier: Courier) -> asyncio.Task[None] | None:
        """Answer the INVITE; the task that delivers the webhook, which outlives the call, or None without one."""
        code = turned_away(self.invite, self._config.project_id) or self.scenario.sip_refuses
        if code is not None:
            self._later(0.0, lambda: self.refuse(code))
            return None
        self._later(0.0, self._ringing)
        if self.scenario.webhook == "never":
            self._later(self.scenario.webhook_delay_s, lambda: self.refuse(BAD_REQUEST))
            return None
        self._later(self._config.accept_deadline_s, self._miss)
        return asyncio.create_task(self._announce(courier))

    def accept(self, given: dict[str, Any]) -> None:
        """Build the session; the call connects as soon as the webhook is answered too (contract OpenAI 1.4)."""
        loop = asyncio.get_running_loop()
        self._accepted_at = loop.time()
        if self.scenario.accept == "dead":
            self.state = State.DEAD
            self._later(DEAD_AFTER_S, lambda: self.refuse(BAD_REQUEST))
            return
        self.state = State.ACCEPTED
        lasts_s = self._session_lasts_s
        expires_at = int(time.time() + lasts_s)
        session = opened(given, session_id=self.session_id, expires_at=expires_at)
        conversation_id = ids.fresh("conv_")
        speed = self.scenario.speed
        self.floor = Floor(session=session, conversation_id=conversation_id, speed=speed, send=self._send)
        score = self._play.score(session_id=self.session_id, conversation_id=conversation_id)
        self.desk = Desk(floor=self.floor, score=score, refused=self._note_refusal)
        self._later(lasts_s, self._expire)
        self._spawn(self._converse())

    def refuse(self, status: int) -> None:
        """A final SIP answer, if the dialog still waits for one."""
        if self.state not in (State.ANSWERED, State.OVER):
            self._end(f"refused with {status}")
            self._carrier.refused(status)

    def hang_up(self, how: str = "hung up by the client") -> None:
        """End the dialog from this side: BYE, or a decline before the answer."""
        if self.state is State.ANSWERED:
            self._end(how)
            self._carrier.bye()
        else:
            self.refuse(DECLINE)

    def refer(self, target_uri: str) -> None:
        """Send a REFER if the dialog lives; the target goes into Refer-To as given (contract OpenAI 3.3)."""
        if self.state is State.ANSWERED:
            self._record.add("sip.refer", call_id=self.id, refer_to=f"<{target_uri}>")
            self._carrier.refer(f"<{target_uri}>")

    def leave_in(self, seconds: float) -> None:
        """End by itself after this long, if the dialog lives till then (contract OpenAI 5.2 #7)."""
        self._later(seconds, lambda: self.hang_up("ended by itself") if self.state is State.ANSWERED else None)

    def refer_later(self, target_uri: str) -> None:
        """The REFER leaves when the scenario says so, unless the dialog is over by then."""
        self._later(self.scenario.refer_late_by_s, lambda: self.refer(target_uri))

    def cancel(self) -> None:
        """CANCEL from the carrier: the caller gave up before the answer; a ghost is made of who does not notice."""
        if self.scenario.ghost:
            self.forsaken = True
            self._record.add("sip.cancel_missed", call_id=self.id)
        elif self.state is not State.ANSWERED:
            self._end("cancelled by the carrier")

    def bye(self) -> None:
        """BYE from the carrier: every sideband drops without a close frame (contract OpenAI 4.3)."""
        self._end("ended by the carrier")

    def dtmf(self, key: str) -> None:
        """The caller pressed a key; the sideband hears of it, the model does not."""
        if self.state is State.ANSWERED and self.floor is not None:
            self.floor.say(key_press(key))

    @property
    def is_attachable(self) -> bool:
        """Whether a sideband handshake that arrives now finds the session."""
        ready_at = self._accepted_at + self.scenario.sideband_ready_s
        return self.state in (State.ACCEPTED, State.ANSWERED) and asyncio.get_running_loop().time() >= ready_at

    def attach(self, sideband: Sideband) -> None:
        """A sideband opened; nothing is replayed. The scenario's faults hang on the first one."""
        self.sidebands.append(sideband)
        self._record.add("sideband.open", call_id=self.id)
        if self.scenario.session_created and self.floor is not None:
            sideband.send(server_event("session.created", session=self.floor.session))
        if not self._attached.is_set():
            self._attached.set()
            if self.scenario.drop_sideband_at_s is not None:
                self._later(self.scenario.drop_sideband_at_s / self.scenario.speed, lambda: self._drop(sideband))
            if self.scenario.garbage_frame_at_s is not None:
                self._later(
                    self.scenario.garbage_frame_at_s / self.scenario.speed, lambda: self._send_garbage(sideband)
                )

    def detach(self, sideband: Sideband) -> None:
        """A sideband is gone; the call goes on."""
        self.sidebands.remove(sideband)
        self._record.add("sideband.closed", call_id=self.id)

    def hear(self, frame: str) -> None:
        """Take a text frame of a sideband."""
        if self.desk is not None and self.state is not State.OVER:
            self._record.add("client_event", call_id=self.id, frame=frame)
            self.desk.take(frame)

    def _ringing(self) -> None:
        self._record.add("sip.ringing", call_id=self.id)
        self._carrier.ringing()

    async def _announce(self, courier: Courier) -> None:
        late = self.scenario.webhook == "late"
        await asyncio.sleep(self._config.late_webhook_s if late else self.scenario.webhook_delay_s)
        await courier.deliver(self.id, self.invite, answered=self._webhook_answered)

    def _miss(self) -> None:
        if not self.decided:
            self.refuse(BAD_REQUEST)

    async def _converse(self) -> None:
        await self._webhook_answered.wait()
        self.state = State.ANSWERED
        if self.forsaken:
            self._record.add("sip.haunted", call_id=self.id)
            return
        self._record.add("sip.answered", call_id=self.id)
        self._carrier.answered()
        try:
            await asyncio.wait_for(self._attached.wait(), self._config.unattended_s)
        except TimeoutError:
            self._record.add("warning", call_id=self.id, why="the caller talks and no sideband is attached")
        if self.floor is None or self.desk is None:
            return
        await self.floor.play_score(self.desk.score, patience_s=self._config.gate_patience_s)
        if self.desk.score.leaves_s is not None and self._caller_leaves is not None:
            self._record.add("caller_leaves", call_id=self.id)
            self._caller_leaves(self)

    def _send(self, event: dict[str, Any]) -> None:
        self._record.add("event", call_id=self.id, sidebands=len(self.sidebands), event=event)
        for sideband in self.sidebands:
            sideband.send(event)

    def _send_garbage(self, sideband: Sideband) -> None:
        sideband.send_raw('{"type":"response.output_audio_transcript.del')
        sideband.send(server_event("session.relocated", region="nowhere"))

    def _note_refusal(self, frame: str, error: Invalid) -> None:
        self._record.add("refused", call_id=self.id, frame=frame, why=error.message, code=error.code, param=error.param)

    def _expire(self) -> None:
        """The session is over: an `error` event, then close 1001 with its text, and BYE (contract OpenAI 4.3)."""
        error = {"type": "invalid_request_error", "code": "session_expired", "message": EXPIRED}
        self._send(server_event("error", error={**error, "param": None, "event_id": None}))
        for sideband in self.sidebands:
            sideband.close(WSCloseCode.GOING_AWAY, EXPIRED)
        answered = self.state is State.ANSWERED
        self._end("expired", drop=False)
        if answered:
            self._carrier.bye()

    def _end(self, how: str, *, drop: bool = True) -> None:
        if self.state is State.OVER:
            return
        self.state = State.OVER
        self.over.set()
        self._record.add("sip.over", call_id=self.id, how=how)
        for work in self._works:
            work.cancel()
        if self.floor is not None:
            self.floor.close()
        for sideband in self.sidebands if drop else ():
            sideband.close(self.scenario.sideband_end_code)

    @property
    def _session_lasts_s(self) -> float:
        lasts_s = self.scenario.session_lasts_s
        return self._config.session_limit_s if lasts_s is None else lasts_s / self.scenario.speed

    def _drop(self, sideband: Sideband) -> None:
        code = self.scenario.sideband_drop_code
        self._record.add("sideband.dropped", call_id=self.id, code=code)
        sideband.close(code)

    def _later(self, seconds: float, deed: Callable[[], None]) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            deed()

        self._spawn(wait())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._works.add(task)
        task.add_done_callback(self._works.discard)
