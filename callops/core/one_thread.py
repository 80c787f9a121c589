"""A request's whole way through the house is taken in one thread."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler


class OneThread(ASGIHandler):
    """Django, with all steps around a view and the view itself taken one after the other in the thread of the request.

    Django would find the view and wait for it on the event loop: from the thread of the request to the loop and back
    for every step that looks at the view, which costs more than what the steps do, and under load waits for the loop.
    """

    _middleware_chain: Any

    def load_middleware(self, is_async: bool = False) -> None:
        """The steps are known, as of a handler that never waits on an event loop; the loop waits once, for them all."""
        super().load_middleware(is_async=False)
        self._middleware_chain = sync_to_async(self._middleware_chain, thread_sensitive=True)
