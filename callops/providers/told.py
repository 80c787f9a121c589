"""An exchange with a provider as one value, however it ended: what is written down before anything is concluded."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from callops.providers.openai.session import InvalidSession
from callops.providers.receipt import NoAnswer, Receipt, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answer, the refusal, or the absence of both. `status` is None when nothing was answered."""

    status: int | None = None
    code: str | int | None = None
    message: str = ""
    request_id: str | None = None
    processing_ms: int | None = None
    retry_after_s: int | None = None
    duration_ms: int = 0
    absent: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    """The headers of the answer that matter, lower-case names; none of them is a credential."""
    reason: str = ""
    """Why there is no answer: timeout, dropped, connect (never sent), or unfit (we refused to send it)."""

    @property
    def is_ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_lost(self) -> bool:
        """Sent, but unanswered: it may have taken effect."""
        return self.reason in ("timeout", "dropped")

    @property
    def is_busy(self) -> bool:
        """The provider could not do it now (429, 5xx) or was not reached: worth one more try."""
        return self.reason == "connect" or self.status == 429 or (self.status or 0) >= 500

    def body(self) -> dict[str, Any]:
        """The exchange as it stands on the timeline: headers that were absent are named."""
        return {
            "status": self.status,
            "error_code": self.code,
            "message": self.message,
            "request_id": self.request_id,
            "processing_ms": self.processing_ms,
            "retry_after_s": self.retry_after_s,
            "duration_ms": self.duration_ms,
            "absent": list(self.absent),
            "headers": self.headers,
            "reason": self.reason,
        }


async def told(asking: Awaitable[Receipt]) -> Told:
    """What came of the request; expected failures are values here, unexpected ones are raised."""
    try:
        receipt = await asking
    except Refused as refusal:
        return _of(refusal.receipt, code=refusal.code, message=refusal.message)
    except NoAnswer as silence:
        return Told(reason=silence.reason, duration_ms=silence.duration_ms, message=str(silence))
    except (InvalidSession, ValueError) as unfit:
        return Told(reason="unfit", message=str(unfit))
    return _of(receipt)


def _of(receipt: Receipt, *, code: str | int | None = None, message: str = "") -> Told:
    return Told(
        status=receipt.status,
        code=code,
        message=message,
        request_id=receipt.request_id,
        processing_ms=receipt.processing_ms,
        retry_after_s=receipt.retry_after_s,
        duration_ms=receipt.duration_ms,
        absent=receipt.absent,
        headers=receipt.headers,
    )
