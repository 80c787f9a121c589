"""Where a caller goes when a dial has ended. Pure: what is known in, one way out (contract Twilio 3.3 and 7)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    NOTHING = "nothing"
    """The caller is gone; whatever is answered is ignored."""
    TRANSFER = "transfer"
    """The transfer document now: the dial's end claims the open transfer."""
    BRIDGE = "bridge"
    """Hold for a moment, then the transfer document: somebody is moving the caller already."""
    GOODBYE = "goodbye"
    """The call was ended on purpose."""
    AI_AGAIN = "ai_again"
    """Nobody decided this end and nothing was said yet: one more try."""
    APOLOGY = "apology"
    """Nobody came, and the AI did not get the caller back: an apology, and somebody calls them back."""
    RESCUE = "rescue"
    """Nobody decided this end: on to the line's fallback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialEnd:
    """What is known when the AI dial's `action` is requested."""

    caller_on_line: bool
    transfer_open: bool
    being_moved: bool
    """A redirect is in flight, or the carrier reported the REFER."""
    human_there: bool
    """The last transfer connected and its human's leg is not known to be over."""
    end_wished: bool
    fallback_talked: bool = False
    """The document's own fallback took the call and that talk is over."""
    may_try_again: bool = False
    """Nothing was said to the caller yet, and the line wants the AI tried once more."""
    nobody_came: bool = False
    """The last transfer was in vain, and the AI that was dialled afterwards never got the caller."""


def after_ai_dial(end: DialEnd) -> Way:
    """The caller's way on; only a caller who is gone, or whose call was ended on purpose, is let go."""
    if not end.caller_on_line:
        return Way.NOTHING
    if end.transfer_open:
        return Way.BRIDGE if end.being_moved else Way.TRANSFER
    if end.human_there:
        return Way.BRIDGE
    if end.end_wished or end.fallback_talked:
        return Way.GOODBYE
    if end.nobody_came:
        return Way.APOLOGY
    return Way.AI_AGAIN if end.may_try_again else Way.RESCUE
