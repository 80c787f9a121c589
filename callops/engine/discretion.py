"""What the transcript and the timeline show of what was said on one session: all but what the line's rules forbid.

The frames themselves are kept as they came, sealed. No network, no database, no waiting.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from callops.calls.kinds import Kind
from callops.calls.timeline import NewEvent
from callops.privacy import speech
from callops.privacy.growing import Growing
from callops.privacy.rules import Redacted, redact
from callops.privacy.speech import Line
from callops.sideband.turns import ASSISTANT, CALLER, TOOL, TurnState

KEY: Final = "•"


class Discretion:
    """One session's; `rules` are those of the line."""

    def __init__(self, rules: Collection[str]) -> None:
        self._rules = frozenset(rules)
        self._asked = ""
        self._growing: dict[str, Growing] = {}
        self._together: dict[str, tuple[str, Redacted]] = {}
        """Lines that were shown anew because of what followed, with the text they had."""

    def said(self, turn: TurnState) -> None:
        """The line is final: what the assistant said announces what the caller says next."""
        if turn.speaker == ASSISTANT:
            self._asked = turn.text

    def shown(self, turn: TurnState) -> TurnState:
        """The line as it may be kept; its detail counts what was replaced, by rule."""
        if not self._rules or not turn.text:
            return turn
        if turn.speaker == TOOL:
            return self._tool(turn)
        found = self._found(turn)
        if not found.spans:
            return turn
        heard = None if turn.heard_chars is None else found.moved(turn.heard_chars)
        text = f"pressed {KEY}" if "dtmf" in turn.detail else found.text
        detail = {**turn.detail, **({"redacted": found.counts} if found.counts else {})}
        if "dtmf" in detail:
            detail["dtmf"] = KEY
        return replace(turn, text=text, heard_chars=heard, detail=detail)

    def completes(self, touched: Iterable[TurnState]) -> bool:
        """Whether one of these lines may complete a number that was read in groups: the quick look before `regroup`."""
        return bool(self._rules) and any(map(_is_group, touched))

    def regroup(self, turns: Iterable[TurnState], touched: Collection[str]) -> dict[str, TurnState]:
        """The lines that are to be shown anew because a touched one completed a number that was read in groups."""
        if not self._rules:
            return {}
        spoken = [turn for turn in turns if turn.speaker in (CALLER, ASSISTANT) and turn.text]
        places = [at for at, turn in enumerate(spoken) if turn.item_id in touched and _is_group(turn)]
        anew: dict[str, TurnState] = {}
        for place in places:
            anew |= self._read_together(spoken, place)
        return anew

    def event(self, event: NewEvent) -> NewEvent:
        """The fact as it may be kept."""
        if not self._rules:
            return event
        body: Mapping[str, Any] = event.body
        if event.kind == Kind.OPENAI_TOOL_CALL:
            body = {**body, "arguments": speech.without_in_json(body.get("arguments"), self._rules)}
        elif event.kind == Kind.OPENAI_GARBAGE:
            body = {**body, "sample": redact(body["sample"], self._rules).text}
        return event if body is event.body else replace(event, body=body)

    def _found(self, turn: TurnState) -> Redacted:
        known = self._together.get(turn.item_id)
        if known is not None and known[0] == turn.text:
            return known[1]
        line = _line(turn)
        growing = self._growing.get(turn.item_id)
        if growing is None:
            before = self._asked if turn.speaker == CALLER else ""
            growing = self._growing[turn.item_id] = Growing(self._rules, before=before)
        return growing.redact(line.text, finished=line.final)

    def _read_together(self, spoken: list[TurnState], place: int) -> dict[str, TurnState]:
        group, before = _group_at(spoken, place)
        if len(group) < 2:
            return {}
        parts = speech.reading([_line(turn) for turn in group], self._rules, before=before)
        anew = {}
        for turn in group:
            if (part := parts.get(turn.item_id)) and self._together.get(turn.item_id) != (turn.text, part):
                self._together[turn.item_id] = (turn.text, part)
                anew[turn.item_id] = self.shown(turn)
        return anew

    def _tool(self, turn: TurnState) -> TurnState:
        detail = dict(turn.detail)
        arguments = detail.get("arguments")
        if arguments:
            detail["arguments"] = speech.without_in_json(arguments, self._rules)
        if "output" in detail:
            detail["output"] = speech.without(detail["output"], self._rules)
        if detail == turn.detail:
            return turn
        text = turn.text.replace(arguments, detail["arguments"]) if arguments else turn.text
        return replace(turn, text=text, detail=detail)


def _group_at(spoken: list[TurnState], place: int) -> tuple[list[TurnState], str]:
    """The caller's lines up to this one that are one reading of a number, and what the assistant had said before it.

    The first may have words before its digits; what the assistant says in between does not interrupt.
    """
    group: list[TurnState] = []
    for turn in itertools.islice(reversed(spoken[: place + 1]), 2 * speech.GROUPS):
        if turn.speaker == ASSISTANT:
            continue
        group.insert(0, turn)
        if not _is_group(turn):
            break
    first = spoken.index(group[0])
    before = next((turn.text for turn in reversed(spoken[:first]) if turn.speaker == ASSISTANT), "")
    return group, before


def _is_group(turn: TurnState) -> bool:
    return turn.speaker == CALLER and speech.is_group(turn.text)


def _line(turn: TurnState) -> Line:
    return Line(turn.item_id, turn.speaker, turn.detail.get("dtmf", turn.text), turn.final)
