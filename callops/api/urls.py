"""Addresses under `/api/`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, path, re_path
from django.utils.datastructures import MultiValueDict
from ninja import NinjaAPI
from ninja.parser import Parser

from callops.api import answers
from callops.api.auth import READERS
from callops.api.views import router


class Questions(Parser):
    """A query parameter that is empty counts as not given, as in `?state=&q=`."""

    def parse_querydict(
        self, data: MultiValueDict[str, str], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        asked = super().parse_querydict(data, list_fields, request)
        return {name: value for name, value in asked.items() if value != ""}


api = NinjaAPI(
    title="callops",
    version="1",
    description="AI phone calls: what is known of them, how callers were moved to humans, and what proves it.",
    urls_namespace="api",
    auth=READERS,
    parser=Questions(),
)
api.add_router("", router)
answers.add_to(api)

_patterns, _application, _namespace = api.urls
for _pattern in _patterns:
    if isinstance(_pattern, URLPattern):
        _pattern.callback = answers.polite(_pattern.callback)

urlpatterns = [
    path("", (_patterns, _application, _namespace)),
    re_path(r"^(?P<rest>.*)$", answers.nowhere),
]
