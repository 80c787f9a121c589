"""One line of log for one thing that happened, with the call it belongs to."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime

call_id: ContextVar[str] = ContextVar("call_id", default="-")
"""The call the running code works for; `-` outside any."""


@contextlib.contextmanager
def about_call(name: str) -> Iterator[None]:
    """Every line logged in the block carries this call id."""
    token = call_id.set(name)
    try:
        yield
    finally:
        call_id.reset(token)


class LineFormatter(logging.Formatter):
    r"""`TIME LEVEL logger call=ID text`; line breaks (tracebacks, hostile input) are written as `\n`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as exactly one line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        line = f"{at} {record.levelname} {record.name} call={call_id.get()} {text}"
        return line.replace("\r", "\\r").replace("\n", "\\n")
