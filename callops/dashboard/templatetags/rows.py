"""Rows that a page may have hundreds of: drawn by hand, put into the page here."""

from __future__ import annotations

from django import template

from callops.dashboard.board_row import board_rows
from callops.dashboard.call_rows import event_rows, turn_rows

register = template.Library()
for drawn in (board_rows, turn_rows, event_rows):
    register.filter(drawn)
