"""What is kept of every answer, and the three ways in which a question can fail."""

from dataclasses import dataclass, field
from typing import Literal

Reason = Literal["timeout", "connect", "dropped"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One HTTP answer as evidence: status, the headers that matter, those that should have been there, and how long.

    `headers` has lower-case names, `duration_ms` runs from the first byte sent to the last byte read and `body` holds
    the first 2000 characters. No credential is ever part of a receipt.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    duration_ms: int = 0
    body: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the status is 2xx; for OpenAI that means *asked*, not done (contract OpenAI 5.1)."""
        return 200 <= self.status < 300

    @property
    def request_id(self) -> str | None:
        """The provider's own name for the request; None when the answer carried none."""
        return self.headers.get("x-request-id") or self.headers.get("twilio-request-id")

    @property
    def processing_ms(self) -> int | None:
        """How long OpenAI says it worked, in milliseconds; None when it did not say."""
        value = self.headers.get("openai-processing-ms", "")
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else None

    @property
    def retry_after_s(self) -> int | None:
        """How long the provider asks to be left alone, in seconds; None when it did not say, or named a date."""
        value = self.headers.get("retry-after", "").strip()
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else None


class ProviderError(Exception):
    """A provider could not be asked, or its answer is of no use; `receipt` is there when an answer arrived."""

    def __init__(self, message: str, *, receipt: Receipt | None = None) -> None:
        super().__init__(message)
        self.receipt = receipt


class Refused(ProviderError):
    """The provider answered with an HTTP error; `code` and `message` are its own words."""

    receipt: Receipt

    def __init__(self, receipt: Receipt, *, code: str | int | None, message: str) -> None:
        super().__init__(f"refused with {receipt.status} {code or ''}: {message}", receipt=receipt)
        self.status = receipt.status
        self.code = code
        self.message = message


class NoAnswer(ProviderError):
    """No answer came, so whether the request took effect is unknown; only `connect` means it was never sent."""

    def __init__(self, *, reason: Reason, duration_ms: int, detail: str = "") -> None:
        super().__init__(f"no answer ({reason}) after {duration_ms} ms: {detail}")
        self.reason = reason
        self.duration_ms = duration_ms
