"""The names the search box knows, with what each takes and what it means. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from callops.alerts.fates import Fate as CallerFate
from callops.calls.words import EndedBy, FailureStage, Method, State
from callops.sideband.models import Speaker
from callops.transfers.health import Fate
from callops.transfers.models import Mechanism, Outcome


class Takes(Enum):
    """What stands after a name."""

    WORD = "word"
    DURATION = "duration"
    MOMENT = "moment"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Field:
    """One name; `words` are those it takes, with how people say them; `says` begins the sentence on a chip."""

    name: str
    says: str
    takes: Takes
    example: str
    words: Mapping[str, str] = field(default_factory=dict)
    of_transfer: bool = False
    """Several such terms have to fit one and the same transfer."""


def _words(enum: Any) -> dict[str, str]:
    return {str(value): str(label) for value, label in enum.choices if value}


ANY: Final = "any"
REFERS: Final = {
    "asked": "asked for",
    Fate.PROVEN.value: "seen at the carrier in time",
    Fate.LATE.value: "seen at the carrier late",
    Fate.UNPROVEN.value: "never seen at the carrier",
    "unseen": "never seen at the carrier",
    Fate.REFUSED.value: "refused",
}
IS: Final = {
    "live": "not over",
    "incomplete": "transcript incomplete",
    "marked": "marked by somebody",
    "held": "held by law",
    "transferred": "a transfer was asked for",
    "redacted": "something said was not kept readable",
    "unlinked": "only one half is known",
}

FIELDS: Final[dict[str, Field]] = {
    each.name: each
    for each in (
        Field("mechanism", "moved by", Takes.WORD, "mechanism:redirect", _words(Mechanism), of_transfer=True),
        Field("refer", "REFER", Takes.WORD, "refer:unseen", REFERS, of_transfer=True),
        Field("outcome", "transfer ended", Takes.WORD, "outcome:connected", _words(Outcome), of_transfer=True),
        Field("wait", "waited for a human", Takes.DURATION, "wait>10s or wait<2m", of_transfer=True),
        Field("by", "transferred by", Takes.TEXT, "by:ada", of_transfer=True),
        Field("dest", "transferred to", Takes.TEXT, "dest:frontdesk", of_transfer=True),
        Field("stage", "failed because", Takes.WORD, "stage:webhook_missing", {ANY: "anything"} | _words(FailureStage)),
        Field("fate", "the caller was", Takes.WORD, "fate:lost", _words(CallerFate)),
        Field("state", "state", Takes.WORD, "state:live", _words(State)),
        Field("line", "line", Takes.TEXT, "line:support"),
        Field("ended", "ended by", Takes.WORD, "ended:caller", _words(EndedBy)),
        Field("join", "halves joined by", Takes.WORD, "join:signed_header", _words(Method)),
        Field("lasted", "lasted", Takes.DURATION, "lasted>5m or lasted<30s"),
        Field("since", "began since", Takes.MOMENT, "since:2h, since:today or since:2026-11-27T09:30"),
        Field("until", "began before", Takes.MOMENT, "until:1d or until:2026-11-27"),
        Field("is", "", Takes.WORD, "is:incomplete", IS),
        Field("said", "words said by", Takes.WORD, "said:caller", _words(Speaker)),
    )
}
