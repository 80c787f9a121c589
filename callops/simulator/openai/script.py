"""The lines of which a written conversation consists, and how they become a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from callops.simulator.openai import render
from callops.simulator.openai.cues import Cue, Gate, Json, Score
from callops.simulator.openai.ledger import Ledger, ResponseSoFar, server_event
from callops.simulator.openai.render import Block, Speech

IDLE_S = 8.0


@dataclass(frozen=True)
class Assistant:
    """The assistant speaks: after the caller's turn by itself, or `asked` for by the client (the greeting)."""

    words: str
    tool: str | None = None
    arguments: Json = field(default_factory=dict)
    asked: bool = False


@dataclass(frozen=True)
class Then:
    """The assistant goes on after its tool answered well and the client asked for a response."""

    words: str


@dataclass(frozen=True)
class Caller:
    """The caller speaks, `pause_s` after the assistant fell silent."""

    words: str
    pause_s: float = 0.9


@dataclass(frozen=True)
class Interrupts:
    """The caller speaks over the assistant, `after_s` after its sound started."""

    words: str
    after_s: float


@dataclass(frozen=True)
class Keys:
    """The caller presses keys, one every 0.62 s."""

    keys: str
    pause_s: float = 1.1


@dataclass(frozen=True)
class Idles:
    """Nobody speaks for the session's idle time-out; then the assistant says these words."""

    words: str


@dataclass(frozen=True)
class Leaves:
    """The caller hangs up, `pause_s` after the last sound."""

    pause_s: float = 0.8


Line = Assistant | Then | Caller | Interrupts | Keys | Idles | Leaves


def compose(lines: Sequence[Line], *, conversation_id: str, language: str) -> Score:
    """The lines as a score with fresh ids."""
    composer = _Composer(conversation_id)
    for line in lines:
        composer.write(line)
    cues = tuple(sorted(composer.cues, key=lambda cue: cue.at_s))
    return Score(cues, tuple(composer.gates), language, composer.leaves_s, plays_unasked=False)


class _Composer:
    def __init__(self, conversation_id: str) -> None:
        self.conversation_id = conversation_id
        self.cues: list[Cue] = []
        self.gates: list[Gate] = []
        self.now_s = 0.0
        self.silent_s = 0.0
        self.block: Block | None = None
        self.tool: str | None = None
        self.leaves_s: float | None = None

    def write(self, line: Line) -> None:
        match line:
            case Assistant():
                self._assistant(line)
            case Then():
                self._asked(line.words, self.now_s + 0.57, tool=self.tool)
            case Caller():
                self._caller(self.silent_s + line.pause_s, line.words)
            case Interrupts():
                self._interrupt(line)
            case Keys():
                self._keys(line)
            case Idles():
                self._idle(line)
            case Leaves():
                self.leaves_s = self.silent_s + line.pause_s

    def _assistant(self, line: Assistant) -> None:
        if line.asked:
            self._asked(line.words, self.now_s + 0.2)
            return
        speech = Speech(words=line.words, tool=line.tool, arguments=line.arguments)
        self._speak(render.response(self.conversation_id, self.now_s + 0.03, speech, free_s=self.silent_s))
        self.tool = line.tool

    def _asked(self, words: str, at_s: float, tool: str | None = None) -> None:
        gate = Gate("response", at_s, tool=tool, words=words)
        self.gates.append(gate)
        self._speak(render.response(self.conversation_id, at_s, Speech(words=words), gate=gate, free_s=self.silent_s))

    def _speak(self, block: Block) -> None:
        self.block = block
        self.cues += block.cues
        self.now_s, self.silent_s = block.generated_s, block.silent_s

    def _caller(self, at_s: float, words: str) -> None:
        turn = render.caller_turn(at_s, words)
        self.cues += turn.cues
        self.now_s = self.silent_s = turn.done_s

    def _interrupt(self, line: Interrupts) -> None:
        if self.block is None:
            raise ValueError("there is nobody to interrupt")
        at_s = self.block.sounds_from_s + line.after_s
        kept, broken = cut(self.block, at_s, round(line.after_s * 1000))
        whole = {id(cue) for cue in self.block.cues}
        self.cues = [cue for cue in self.cues if id(cue) not in whole] + kept + broken
        self._caller(at_s, line.words)

    def _keys(self, line: Keys) -> None:
        at_s = self.silent_s + line.pause_s
        for key in line.keys:
            self.cues.append(Cue(at_s, render.key_press(key)))
            at_s += 0.62
        self.now_s = self.silent_s = at_s

    def _idle(self, line: Idles) -> None:
        turn = render.silence(self.silent_s + IDLE_S, IDLE_S)
        block = render.response(self.conversation_id, turn.done_s + 0.03, Speech(words=line.words))
        only_idle = tuple(replace(cue, needs_idle_timeout=True) for cue in block.cues)
        self.cues += turn.cues
        self._speak(replace(block, cues=only_idle))


def cut(block: Block, at_s: float, heard_ms: int) -> tuple[list[Cue], list[Cue]]:
    """What is left of a response when the caller interrupts, and how the server breaks it off (contract 4.4)."""
    kept = [cue for cue in block.cues if cue.at_s < at_s]
    so_far: ResponseSoFar | None = None
    for cue in kept:
        if cue.type == "response.created":
            so_far = ResponseSoFar(cue.event["response"])
        elif so_far is not None and cue.response_id == so_far.id:
            so_far.feed(cue.event)
    if so_far is None:
        raise ValueError("the response had not begun")
    ends = [
        server_event("output_audio_buffer.cleared", response_id=block.response_id),
        server_event(
            "conversation.item.truncated", item_id=so_far.items[0]["id"], content_index=0, audio_end_ms=heard_ms
        ),
    ]
    if all(cue.type != "response.done" for cue in kept):
        ends += [*so_far.closing("turn_detected"), server_event("rate_limits.updated", rate_limits=[])]
    broken = [Cue(at_s + 0.006 + 0.002 * place, event, block.response_id) for place, event in enumerate(ends)]
    return kept, broken


def settled(score: Score) -> list[Cue]:
    """The cues as they leave when the client does its part: what depends on the past is filled in."""
    ledger = Ledger()
    for cue in score.cues:
        ledger.enter(cue.event)
    return list(score.cues)
