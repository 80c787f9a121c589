"""Which carrier call an AI call belongs to. Pure: the signed reference, and a score for numbers and time.

Our own header is `X-Callops-Ref: <call id>` with `X-Callops-Sig: <unix seconds>.<hmac>`; `sip_headers` are untrusted
text (contract OpenAI 2), so only a valid signature makes a reference count.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

REF_HEADER = "X-Callops-Ref"
SIG_HEADER = "X-Callops-Sig"
SIGNATURE_LIFE_S = 3600
CLOCK_TOLERANCE_S = 60
WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A carrier call that still has no AI half."""

    call_id: str
    from_number: str
    to_number: str
    dialled_at: datetime


def sign(reference: str, *, key: str, at: datetime) -> str:
    """The signature header's value for a reference handed out at `at`."""
    seconds = int(at.timestamp())
    return f"{seconds}.{_mac(reference, seconds, key)}"


def signed_reference(reference: str | None, signature: str | None, *, key: str, now: datetime) -> str | None:
    """The reference when its signature is ours and not older than an hour; None otherwise, whatever was sent."""
    if not reference or not signature:
        return None
    stamp, _, mac = signature.partition(".")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and stamp == str(int(stamp))):
        return None
    age_s = now.timestamp() - int(stamp)
    genuine = hmac.compare_digest(_bytes(mac), _bytes(_mac(reference, int(stamp), key)))
    return reference if genuine and -CLOCK_TOLERANCE_S <= age_s <= SIGNATURE_LIFE_S else None


def by_numbers_and_time(
    candidates: Iterable[Candidate], *, from_number: str | None, to_number: str | None, at: datetime
) -> Candidate | None:
    """The one call that fits best; None when nothing fits, or two fit equally well: a guess is no coin toss."""
    scored = sorted(
        (
            (score, candidate)
            for candidate in candidates
            if (score := _score(candidate, from_number, to_number, at)) > 0
        ),
        key=lambda pair: pair[0],
        reverse=True,
    )
    if not scored or _is_tie(scored):
        return None
    return scored[0][1]


def _is_tie(scored: Sequence[tuple[float, Candidate]]) -> bool:
    return len(scored) > 1 and scored[0][0] - scored[1][0] < 0.15


def _score(candidate: Candidate, from_number: str | None, to_number: str | None, at: datetime) -> float:
    """0 when it cannot be; up to 3: the caller's number, the dialled number when known, and nearness in time."""
    distance_s = abs((at - candidate.dialled_at).total_seconds())
    if not from_number or candidate.from_number != from_number or distance_s > WINDOW_S:
        return 0.0
    dialled = 1.0 if to_number and candidate.to_number == to_number else 0.0
    return 1.0 + dialled + (1.0 - distance_s / WINDOW_S)


def _mac(reference: str, seconds: int, key: str) -> str:
    text = _bytes(f"callops.correlation:{reference}:{seconds}")
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    """Whatever somebody wrote into a header, half a character too, as bytes that nothing else has."""
    return text.encode("utf-8", "surrogatepass")
