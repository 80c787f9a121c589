"""What the settings of the accounts extra look like, and which of them go together."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import urlsplit

from callops.people.roles import Role
from callops.site.shapes import Misshapen, web_address

NEEDS_ACCOUNTS: Final = ("MFA_REQUIRED_ROLES", "OIDC_ISSUER")
NEED_ISSUER: Final = ("OIDC_CLIENT_ID", "OIDC_DOMAINS", "OIDC_ROLES")
NAMES: Final = ", ".join(role.value for role in Role)
INSTALL: Final = "pip install --require-hashes --requirement requirements/accounts.txt (or make accounts)"


def accounts(text: str) -> bool:
    """`allauth`, where it is installed."""
    if not text:
        return False
    if text != "allauth":
        raise Misshapen("allauth, or not set")
    if find_spec("allauth") is None:
        raise Misshapen(f"not set while django-allauth is not installed; to install it: {INSTALL}")
    return True


def roles(text: str) -> tuple[str, ...]:
    """Names of our roles."""
    names = tuple(text.replace(",", " ").split())
    if not set(names) <= set(Role):
        raise Misshapen(f"roles separated by commas, of {NAMES}")
    return names


def group_roles(text: str) -> tuple[tuple[str, str], ...]:
    """Groups at the provider with our role for each. A group's name may have spaces."""
    pairs = [pair.rpartition("=") for pair in text.split(",") if pair.strip()]
    if not all(group.strip() and role.strip() in set(Role) for group, _, role in pairs):
        raise Misshapen(f"GROUP=ROLE separated by commas, the role one of {NAMES}")
    return tuple((group.strip(), role.strip()) for group, _, role in pairs)


def issuer(text: str) -> str:
    """An https address; http only on this machine itself."""
    if not text:
        return ""
    address = web_address(text)
    parts = urlsplit(address)
    if parts.scheme != "https" and not _is_here(parts.hostname or ""):
        raise Misshapen("an https address such as https://login.example.com")
    return address


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def together(given: Mapping[str, str]) -> list[str]:
    """The variables that those which are set need beside them."""
    names = {name.removesuffix("_FILE") for name in given}
    wanted = []
    if names.intersection(NEEDS_ACCOUNTS):
        wanted.append("ACCOUNTS")
    if names.intersection(NEED_ISSUER):
        wanted.append("OIDC_ISSUER")
    if "OIDC_ISSUER" in names:
        wanted += ["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"]
    return wanted


PARSERS: tuple[Callable[[str], Any], ...] = (accounts, roles, group_roles, issuer)
