"""Addresses of the live sockets."""

from __future__ import annotations

from django.urls import path

from callops.dashboard.consumers import BoardLive, CallLive

websocket_urlpatterns = [
    path("ws/board/", BoardLive.as_asgi()),
    path("ws/calls/<str:call_id>/", CallLive.as_asgi()),
]
