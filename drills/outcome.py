"""What a drill found, printed as it is found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Outcome:
    """The findings of one drill; it passed when none of them is bad."""

    name: str
    found: list[tuple[str, bool]] = field(default_factory=list)
    skipped: str = ""

    def note(self, text: str) -> None:
        """Something measured, which no promise is about."""
        print(f"        {text}", flush=True)

    def check(self, ok: object, text: str) -> None:
        """A promise, kept or not."""
        self.found.append((text, bool(ok)))
        print(f"  {'ok  ' if ok else 'BAD '}  {text}", flush=True)

    def skip(self, advice: str) -> None:
        """It cannot be played here."""
        self.skipped = advice
        print(f"        not played: {advice}", flush=True)

    @property
    def word(self) -> str:
        """What became of it."""
        return "skipped" if self.skipped else "passed" if self.passed else "FAILED"

    @property
    def passed(self) -> bool:
        return bool(self.skipped or self.found) and all(ok for _, ok in self.found)
