"""Connection overrides: what the fragment of a webhook URL asks of the one who calls it (contract Twilio 1.4)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urldefrag

RETRY_WORDS = frozenset({"4xx", "5xx", "ct", "rt", "all"})


@dataclass(frozen=True, slots=True)
class Overrides:
    """Limits in seconds and the retry rule of one URL; the defaults are Twilio's."""

    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 15.0
    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})

    def repeats(self, failure: str | None) -> bool:
        """Whether a delivery that failed this way (`ct`, `rt`, `4xx`, `5xx`) is tried again."""
        return failure is not None and ("all" in self.retry_on or failure in self.retry_on)


def overrides_of(url: str) -> Overrides:
    """The overrides in the URL's fragment; unknown keys and values outside their range count as not written."""
    given = {key: values[-1] for key, values in parse_qs(urldefrag(url).fragment).items()}
    words = frozenset(word for word in given.get("rp", "").split(",") if word in RETRY_WORDS)
    return Overrides(
        connect_s=_number(given, "ct", low=100, high=10000, default=5000) / 1000,
        read_s=_number(given, "rt", low=100, high=15000, default=15000) / 1000,
        total_s=_number(given, "tt", low=100, high=15000, default=15000) / 1000,
        retries=_number(given, "rc", low=0, high=5, default=1),
        retry_on=words or frozenset({"ct"}),
    )


def _number(given: dict[str, str], key: str, *, low: int, high: int, default: int) -> int:
    text = given.get(key, "")
    return int(text) if text.isdecimal() and low <= int(text) <= high else default
