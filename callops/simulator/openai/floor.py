"""The running conversation of one call: every event leaves through `Floor`, whoever causes it.

Three may speak: the score (`play_score`), the client's own requests (`speak`), and the dialog (DTMF).
The floor lets through what this session would let through: no transcripts unless transcription is on,
no unasked response while `create_response` is off, nothing more of a response that was broken off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from callops.simulator.openai import render
from callops.simulator.openai.cues import Cue, Gate, Json, Score
from callops.simulator.openai.ledger import Ledger, server_event
from callops.simulator.openai.render import Speech
from callops.simulator.openai.session import STREAMING_TRANSCRIBERS, answers_by_itself

HEARD = "conversation.item.input_audio_transcription."
PLAYBACK = "output_audio_buffer."
SAME_MOMENT_S = 1.0
"""A client that ignored one gate is not waited for at the next one this close behind it."""


class Floor:
    """One conversation as the provider runs it; `send` gets every event that leaves."""

    def __init__(self, *, session: Json, conversation_id: str, speed: float, send: Callable[[Json], None]) -> None:
        self.session = session
        self.conversation_id = conversation_id
        self.ledger = Ledger()
        self.speed = speed
        self.has_spoken = False
        self.playing: str | None = None
        self.dropped_words: list[str] = []
        self._send = send
        self._sound_ends_at = 0.0
        self._broken: set[str] = set()
        self._hushed: set[str] = set()
        self._echoes: list[Json] = []
        self._talks: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._origin_at = 0.0
        self._ignored: Gate | None = None

    def say(self, event: Json) -> None:
        """Send an event, after the ledger filled in what depends on the past."""
        self.ledger.enter(event)
        if event["type"] in ("response.created", "response.done"):
            event["response"]["audio"]["output"]["voice"] = self.session["audio"]["output"]["voice"]
        if event["type"] == "session.updated":
            event["session"] = self.session
        if event["type"] in (PLAYBACK + "stopped", PLAYBACK + "cleared"):
            self.playing = None
        self._send(event)
        if event["type"] == "response.done" and self.ledger.active is None:
            waiting, self._echoes = self._echoes, []
            for echo in waiting:
                self._add_item(**echo)

    def play(self, cue: Cue) -> None:
        """Send a cue's event when this session would."""
        if not self._lets_through(cue):
            return
        if cue.type == PLAYBACK + "started":
            self.has_spoken = True
            self.playing = cue.response_id
            self._sound_ends_at = asyncio.get_running_loop().time() + cue.lasts_s / self.speed
        self.say(cue.event)

    def echo(self, item: Json, previous_item_id: str | None) -> None:
        """Take an item into the conversation; while a response runs it waits for its end (contract 4.4)."""
        if self.ledger.active is None:
            self._add_item(item, previous_item_id)
        else:
            self._echoes.append({"item": item, "previous_item_id": previous_item_id})

    def knows(self, item_id: str) -> bool:
        """Whether the conversation has this item, or is about to."""
        return item_id in self.ledger.items or any(echo["item"]["id"] == item_id for echo in self._echoes)

    def speak(self, speech: Speech) -> None:
        """Begin a response a client asked for; it plays beside the score, which waits with its next turn."""
        left_s = max(0.0, self._sound_ends_at - asyncio.get_running_loop().time()) * self.speed if self.playing else 0.0
        block = render.response(self.conversation_id, 0.0, speech, free_s=left_s)
        if not speech.apart:
            self._quiet.clear()
        self.play(block.cues[0])
        talk = asyncio.create_task(self._talk(block.cues[1:]))
        self._talks.add(talk)
        talk.add_done_callback(self._talked)

    def break_off(self, reason: str) -> None:
        """Stop generating the running response; what was generated goes on sounding."""
        active = self.ledger.active
        if active is None:
            return
        self._broken.add(active.id)
        if self.playing != active.id:
            self._hushed.add(active.id)
        for event in active.closing(reason):
            self.say(event)
        self.say(server_event("rate_limits.updated", rate_limits=[]))

    def hush(self) -> None:
        """Stop what the caller is hearing, if anything."""
        if self.playing is not None:
            self._hushed.add(self.playing)
            self.say(server_event(PLAYBACK + "cleared", response_id=self.playing))

    async def play_score(self, score: Score, *, patience_s: float) -> None:
        """Play the score until its caller would leave.

        Its clock stands still at a gate, and before a turn while a response of the client's own plays.
        """
        loop = asyncio.get_running_loop()
        self._origin_at = loop.time()
        for cue in score.cues:
            await asyncio.sleep(max(0.0, self._origin_at + cue.at_s / self.speed - loop.time()))
            before_at = loop.time()
            if cue.gate is not None and not await self._pass(cue, cue.gate, score, patience_s):
                self._origin_at += loop.time() - before_at
                continue
            if cue.starts_turn:
                await self._quiet.wait()
            self._origin_at += loop.time() - before_at
            if cue.type == "response.created" and cue.gate is None and not answers_by_itself(self.session):
                self._drop(cue.response_id)
            self.play(cue)
        if score.leaves_s is not None:
            await asyncio.sleep(max(0.0, self._origin_at + score.leaves_s / self.speed - loop.time()))

    def now_s(self) -> float:
        """The score's clock; zero before it began."""
        now_at = asyncio.get_running_loop().time()
        return (now_at - self._origin_at) * self.speed if self._origin_at else 0.0

    def close(self) -> None:
        """Nobody speaks any more."""
        for talk in self._talks:
            talk.cancel()

    async def _talk(self, cues: tuple[Cue, ...]) -> None:
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        for cue in cues:
            await asyncio.sleep(max(0.0, began_at + cue.at_s / self.speed - loop.time()))
            self.play(cue)

    def _talked(self, talk: asyncio.Task[None]) -> None:
        self._talks.discard(talk)
        if not self._talks:
            self._quiet.set()
        if not talk.cancelled() and (error := talk.exception()):
            raise error

    async def _pass(self, cue: Cue, gate: Gate, score: Score, patience_s: float) -> bool:
        """Wait at a gate; True when its cue is to be played."""
        if not gate.settled and gate.waits:
            ignored = self._ignored is not None and gate.at_s - self._ignored.at_s < SAME_MOMENT_S
            try:
                await asyncio.wait_for(gate.opened.wait(), 0 if ignored else patience_s)
            except TimeoutError:
                gate.settle(claimed=False)
                self._ignored = gate
        if gate.kind != "response":
            return not gate.claimed and score.plays_unasked
        if gate.claimed:
            for later in score.cues:
                if later.response_id == cue.response_id and "response" in later.event:
                    later.event["response"]["metadata"] = gate.metadata
            return True
        if score.plays_unasked and answers_by_itself(self.session):
            return True
        self._drop(cue.response_id)
        self.dropped_words.append(gate.words)
        return False

    def _drop(self, response_id: str | None) -> None:
        if response_id is not None:
            self._broken.add(response_id)
            self._hushed.add(response_id)

    def _lets_through(self, cue: Cue) -> bool:
        if cue.response_id in self._broken and not cue.type.startswith(PLAYBACK):
            return False
        if cue.response_id in self._hushed and cue.type.startswith(PLAYBACK):
            return False
        return self._is_heard(cue)

    def _is_heard(self, cue: Cue) -> bool:
        hears = self.session["audio"]["input"]
        detection = hears["turn_detection"]
        if cue.type.startswith(HEARD):
            model = (hears["transcription"] or {}).get("model")
            return model is not None and (model in STREAMING_TRANSCRIBERS or cue.type == HEARD + "completed")
        if cue.needs_idle_timeout and not (detection and detection.get("idle_timeout_ms")):
            return False
        of_caller = cue.type.startswith("input_audio_buffer.") and cue.type != "input_audio_buffer.dtmf_event_received"
        return detection is not None or not (of_caller or cue.event.get("item", {}).get("role") == "user")

    def _add_item(self, item: Json, previous_item_id: str | None) -> None:
        self.say(server_event("conversation.item.added", previous_item_id=previous_item_id, item=item))
        self.say(server_event("conversation.item.done", previous_item_id=None, item=item))
