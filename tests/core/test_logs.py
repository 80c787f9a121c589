from __future__ import annotations

import logging
import sys

from callops.core.logs import LineFormatter, about_call


def line(message: str, *, failing: bool = False) -> str:
    exc_info = None
    if failing:
        try:
            raise ValueError("boom")
        except ValueError:
            exc_info = sys.exc_info()
    record = logging.LogRecord("callops.engine", logging.INFO, __file__, 1, message, None, exc_info)
    return LineFormatter().format(record)


def test_a_line_says_when_what_where_and_which_call() -> None:
    with about_call("01k9call"):
        inside = line("attached")
    outside = line("attached")

    assert inside.endswith("INFO callops.engine call=01k9call attached")
    assert outside.endswith("INFO callops.engine call=- attached")
    assert inside[:4].isdigit()


def test_line_breaks_of_strangers_and_of_tracebacks_stay_in_the_line() -> None:
    text = line("said\r\nINFO forged", failing=True)

    assert "\n" not in text
    assert "\r" not in text
    assert "\\r\\nINFO forged" in text
    assert "ValueError: boom" in text
