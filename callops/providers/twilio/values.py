"""How Twilio writes values: text that may be empty, numbers as text, times in two forms (contract Twilio 1.1)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def words(value: object) -> str | None:
    """The text; None when it is missing, empty or not text."""
    return value if isinstance(value, str) and value else None


def count(value: object) -> int | None:
    """A whole number written in decimal; None when it is missing or something else."""
    is_decimal = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9
    return int(value) if isinstance(value, str) and is_decimal else None


def claim(value: object) -> bool | None:
    """`true` or `false`; None when it is missing or something else."""
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def moment(value: object) -> datetime | None:
    """An RFC 2822 date as an aware time; None when it is missing or unreadable."""
    if not isinstance(value, str) or not value:
        return None
    try:
        at = parsedate_to_datetime(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def instant(value: object) -> datetime | None:
    """An ISO 8601 time as an aware one, UTC unless it says otherwise; None when it is missing or unreadable."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return at and (at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
