"""What the stage itself says befell a caller: the independent witness of every flow about lost calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.flows.world import World

Json = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """One caller's own story, from the stage's record alone."""

    told: Json

    @property
    def over(self) -> bool:
        return bool(self.told["over"])

    @property
    def caller(self) -> Json:
        found: Json = self.told["legs"][0]
        return found

    def legs(self, *, ai: bool) -> list[Json]:
        """The legs of the AI, or those of people."""
        return [leg for leg in self.told["legs"][1:] if leg["to"].startswith("sip:") == ai]

    @property
    def reached_ai(self) -> bool:
        """A leg to the AI was answered: from then on the two could talk."""
        return any(leg["was_answered"] for leg in self.legs(ai=True))

    @property
    def reached_human(self) -> bool:
        return any(leg["was_answered"] for leg in self.legs(ai=False))

    @property
    def hung_up(self) -> bool:
        return "caller_hangs_up" in self.notes()

    @property
    def heard_an_apology(self) -> bool:
        return any("We are sorry" in entry.get("text", "") for entry in self.told["twilio"] if entry["kind"] == "leg")

    @property
    def was_cut_off(self) -> bool:
        """The carrier found no document to go on with and said so."""
        return "application_error" in self.notes()

    def notes(self) -> list[str]:
        """What befell the caller's own leg."""
        sid = self.caller["call_sid"]
        return [entry["event"] for entry in self.told["twilio"] if entry["kind"] == "leg" and entry["call_sid"] == sid]

    def openai(self, kind: str) -> list[Json]:
        return [entry for entry in self.told["openai"] if entry["kind"] == kind]

    def asked(self, verb: str) -> list[int]:
        """The statuses with which OpenAI answered this request, in order."""
        return [entry["status"] for entry in self.openai("http") if entry["path"].endswith(f"/{verb}")]


def story(world: World, sid: str) -> Story:
    answer = world.stage.get(f"/_stage/calls/{sid}/story")
    assert answer.status_code == 200, answer.text
    return Story(answer.json())
