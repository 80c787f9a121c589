"""What a call's assistant has cost so far: tokens by kind times the prices of the day. A judgement, pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from callops.supervision.models import Price

KINDS = {
    "text_in": "text in",
    "text_cached": "text in, cached",
    "audio_in": "audio in",
    "audio_cached": "audio in, cached",
    "image_in": "image in",
    "image_cached": "image in, cached",
    "text_out": "text out",
    "audio_out": "audio out",
}
MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Cost:
    """USD so far. `missing` says why it is a lower bound; with nothing in it, everything was counted."""

    usd: Decimal
    lines: Sequence[tuple[str, int, Decimal]]
    """Kind of token, how many, and what they cost."""
    heard_s: float
    missing: Sequence[str]
    priced_as: str
    """The model and the day of its price; blank: no price of this model is known."""

    @property
    def cents(self) -> str:
        return f"{'≥ ' if self.missing else ''}${self.usd:.4f}"


def judge(
    usages: Iterable[Mapping[str, Any]], *, model: str, transcriber: str, day: date, prices: Sequence[Price]
) -> Cost:
    """The cost of these sessions of one call, by the prices in force on that day."""
    known = list(usages)
    total = {name: sum(int(usage.get(name, 0)) for usage in known) for name in (*KINDS, "heard_tokens")}
    heard_s = sum(float(usage.get("heard_s", 0)) for usage in known)
    price, by_time = _in_force(prices, model, day), _in_force(prices, transcriber, day)
    lines = [(label, total[name], _cost(total[name], price, name)) for name, label in KINDS.items() if total[name]]
    unpriced = bool(heard_s and by_time is None) or total["heard_tokens"] > 0
    heard = Decimal(str(heard_s)) / 60 * by_time.per_minute if by_time else Decimal(0)
    return Cost(
        usd=sum((usd for _, _, usd in lines), Decimal(0)) + heard,
        lines=lines,
        heard_s=heard_s,
        missing=_missing(known, priced=price is not None, heard=unpriced),
        priced_as=f"{price.model}, price of {price.from_day:%Y-%m-%d}" if price else "",
    )


def _in_force(prices: Sequence[Price], model: str, day: date) -> Price | None:
    """The last price of the model that began by that day."""
    return max((p for p in prices if p.model == model and p.from_day <= day), key=lambda p: p.from_day, default=None)


def _cost(count: int, price: Price | None, name: str) -> Decimal:
    return count / MILLION * getattr(price, name) if price else Decimal(0)


def _missing(usages: Sequence[Mapping[str, Any]], *, priced: bool, heard: bool) -> list[str]:
    """Why the sum is a lower bound, in words; empty when everything was counted."""
    reasons = {
        "no price of this model is known": not priced,
        "transcription is not priced": heard,
        "we were not connected for a while": any(usage.get("gaps") for usage in usages),
        "an answer has not been metered yet": any(usage.get("running") for usage in usages),
        "some answers or transcripts came without figures": any(usage.get("unmetered") for usage in usages),
    }
    return [words for words, so in reasons.items() if so]
