"""What keeps a figure from being measured; the message says how to mend it."""

from __future__ import annotations


class CannotMeasure(Exception):
    """A figure could not be measured; printed as it is, without a traceback."""
