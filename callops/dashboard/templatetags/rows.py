"""Rows that a page may have hundreds of: drawn by hand, put into the page here."""

from __future__ import annotations

from django import template

from callops.dashboard.board_row import board_rows

register = template.Library()
register.filter("board_rows", board_rows)
