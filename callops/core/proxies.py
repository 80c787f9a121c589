"""Whom a request comes from, when a proxy of ours stands in between."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

from django.http import HttpRequest, HttpResponse

from callops.core.config import config


def client_address(peer: str, forwarded_for: str, trusted: Sequence[str]) -> str:
    """The nearest address that no trusted proxy has; `peer` itself when it is not trusted. Pure.

    Each proxy adds on the right whom it was asked by, so what stands further left may be made up.
    """
    networks = [ipaddress.ip_network(name) for name in trusted]

    def is_trusted(text: str) -> bool:
        try:
            return any(ipaddress.ip_address(text) in network for network in networks)
        except ValueError:
            return False

    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    seen = peer
    while hops and is_trusted(seen):
        seen = hops.pop()
    return seen


class ClientAddress:
    """Middleware: `REMOTE_ADDR` is the browser's address, not that of a proxy named in `TRUSTED_PROXIES`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer of the house."""
        trusted = config().trusted_proxies
        if trusted:
            peer = str(request.META.get("REMOTE_ADDR", ""))
            request.META["REMOTE_ADDR"] = client_address(peer, request.headers.get("X-Forwarded-For", ""), trusted)
        return self.get_response(request)


def asker(request: HttpRequest) -> str:
    """Whose requests are counted together: an address, or a network of IPv6 as one customer has it (RFC 6177)."""
    text = str(request.META.get("REMOTE_ADDR", ""))[:64]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    return text if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
