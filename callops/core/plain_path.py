"""An address holds nothing that the database would refuse."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from callops.core.text import storable


class PlainPath:
    """Middleware: an id with a NUL in it is looked for without, and so is not found at any door, in its own words."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer of the house."""
        request.path, request.path_info = storable(request.path), storable(request.path_info)
        return self.get_response(request)
