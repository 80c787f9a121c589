"""The conversations a call can hold, by name.

`outage_transfer` is the recording of one whole call, played verbatim (see `recording`); all others are
written as lines (see `script`). Times are those of a conversation at speed 1 whose client answers at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from callops.simulator.openai import ids, recording
from callops.simulator.openai.conversations import abroad, desk_calls, short_calls, withheld
from callops.simulator.openai.cues import Cue, Score
from callops.simulator.openai.script import Line, compose, settled
from callops.simulator.scenario import Scenario


class UnknownConversation(LookupError):
    """No conversation has this name."""


@dataclass(frozen=True)
class Conversation:
    """One conversation; `lines` is None for the recording."""

    name: str
    language: str = "en"
    lines: Sequence[Line] | None = None

    def score(self, *, session_id: str, conversation_id: str) -> Score:
        """Cues and gates for one call, with fresh ids."""
        if self.lines is None:
            return recording.load(self.name, session_id=session_id, conversation_id=conversation_id)
        return compose(self.lines, conversation_id=conversation_id, language=self.language)

    def events(self, *, session_id: str, conversation_id: str) -> list[Cue]:
        """All events in order with their times, as a client that does its part at once would see them."""
        return settled(self.score(session_id=session_id, conversation_id=conversation_id))

    @cached_property
    def duration_s(self) -> float:
        """The time of the last event."""
        return self._example.cues[-1].at_s

    @cached_property
    def caller_leaves_at_s(self) -> float | None:
        """When the caller hangs up by itself, in seconds from the start; None when it waits for somebody else to."""
        return self._example.leaves_s

    @cached_property
    def _example(self) -> Score:
        return self.score(session_id=ids.fresh("sess_u1_"), conversation_id=ids.fresh("conv_"))


CONVERSATIONS: Mapping[str, Conversation] = MappingProxyType(
    {
        made.name: made
        for made in (
            Conversation("outage_transfer"),
            Conversation("billing_short", lines=short_calls.BILLING_SHORT),
            Conversation("german_move", "de", abroad.GERMAN_MOVE),
            Conversation("spanish_outage", "es", abroad.SPANISH_OUTAGE),
            Conversation("withheld_long", lines=withheld.WITHHELD_LONG),
            Conversation("silent_caller", lines=short_calls.SILENT_CALLER),
            Conversation("dtmf_menu", lines=desk_calls.DTMF_MENU),
            Conversation("silent_assistant", lines=short_calls.SILENT_ASSISTANT),
            Conversation("barge_in", lines=short_calls.BARGE_IN),
            Conversation("asks_for_person", lines=desk_calls.ASKS_FOR_PERSON),
            Conversation("empty_promise", lines=desk_calls.EMPTY_PROMISE),
            Conversation("goodbye", lines=desk_calls.GOODBYE),
        )
    }
)


def played(scenario: Scenario) -> Conversation:
    """What is said on a call of this scenario; raises `UnknownConversation`."""
    if scenario.lines:
        return Conversation("handed in", lines=scenario.lines)
    return conversation(scenario.conversation)


def conversation(name: str) -> Conversation:
    """The conversation of this name; raises `UnknownConversation`."""
    try:
        return CONVERSATIONS[name]
    except KeyError:
        raise UnknownConversation(f"{name}: not one of {', '.join(CONVERSATIONS)}") from None
