"""Status callbacks: asynchronous, counted, and as unreliable as the scenario wants them (contract Twilio 2.4 and 7)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from callops.simulator.twilio.calls import Call, http_date
from callops.simulator.twilio.courier import DeliveryFailed, Parcel
from callops.simulator.twilio.switchboard import Switchboard
from callops.simulator.twilio.twiml import TwimlError, Verb, parse

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
HELD_BACK_S = 1.2
"""With `shuffled`: how long every other callback is overtaken by those after it."""


class StatusCallbacks:
    """The callbacks of one leg; `url` empty means nobody asked for any."""

    def __init__(self, board: Switchboard, call: Call, url: str, method: str, events: frozenset[str]) -> None:
        self._board = board
        self._call = call
        self._url = url
        self._method = method
        self._events = events
        self._line = asyncio.Lock()

    def send(self, event: str, sip_code: str = "") -> None:
        """The leg reached this event; its callback leaves now (or not, as the scenario says)."""
        if not self._url or event not in self._events:
            return
        call = self._call
        parameters = call.parameters() | {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(call.sequence),
            "Timestamp": http_date(datetime.now(UTC)),
        }
        if event == "initiated":
            parameters["CallStatus"] = "initiated"
        if event == "completed":
            parameters |= {"CallDuration": str(call.duration_s), "Duration": str(call.started_minutes)}
            parameters |= {"SipResponseCode": sip_code} if sip_code else {}
        call.sequence += 1
        self._post(Parcel(self._url, self._method, parameters, "status_callback", call.sid, counts_body=False))

    def _post(self, parcel: Parcel) -> None:
        mood = self._call.scenario.callbacks
        if mood in ("lost", "all_lost"):
            self._board.record.add("lost_callback", call_sid=self._call.sid, params=dict(parcel.parameters))
        elif mood == "shuffled":
            held_back = int(parcel.parameters["SequenceNumber"]) % 2 == 0
            self._board.spawn(self._late(parcel, HELD_BACK_S if held_back else 0.0))
        else:
            self._board.spawn(self._in_order(parcel, 2 if mood == "duplicated" else 1))

    async def _in_order(self, parcel: Parcel, times: int) -> None:
        async with self._line:
            for _ in range(times):
                await self._deliver(parcel)

    async def _late(self, parcel: Parcel, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await self._deliver(parcel)

    async def _deliver(self, parcel: Parcel) -> None:
        try:
            answer = await self._board.courier.deliver(parcel)
            if answer.body.strip():
                parse(answer.body, answer.url)
        except DeliveryFailed as failure:
            self._warn(failure.text, parcel.url)
        except TwimlError as error:
            self._warn(error.text, parcel.url)

    def _warn(self, text: str, url: str) -> None:
        self._board.alerts.sound(self._call, 15003, f"Call progress: {text}", level="warning", url=url)


def callbacks_of(board: Switchboard, call: Call, noun: Verb) -> StatusCallbacks:
    """The callbacks a noun asks for; a word that is no event means none at all come (21626, contract Twilio 3.5)."""
    words = frozenset(noun.get("statusCallbackEvent", "completed").split())
    if not words <= EVENTS:
        board.alerts.sound(call, 21626, f"Invalid statusCallbackEvent {sorted(words - EVENTS)}", level="warning")
        words = frozenset()
    return StatusCallbacks(board, call, noun.get("statusCallback"), noun.method("statusCallbackMethod"), words)
