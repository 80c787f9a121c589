"""A request's whole way through the house is taken in one thread."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class OneThread:
    """Middleware, the innermost: the steps around it are taken one after the other in the thread of the request.

    Django goes by the last step. If that one could wait on the event loop, each step around it that can would be
    taken in another thread and waited for there, twice a request, which costs more than what the steps do.
    """

    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The view's answer."""
        return self.get_response(request)
