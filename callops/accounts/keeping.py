"""Signing in, and second factors that come and go, are in the audit with how it was done."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.authentication import get_authentication_records
from allauth.mfa import signals
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from callops.audit import chain, verbs
from callops.core.clock import now
from callops.dashboard import throttle
from callops.dashboard.sign_in import address_of
from callops.people.sessions import use

WORDS: Final = {
    "totp": "authenticator app",
    "webauthn": "passkey",
    "recovery_codes": "recovery code",
    "password": "password",
    "socialaccount": "OpenID Connect",
}


def listen() -> None:
    """From now on."""
    user_logged_in.connect(signed_in, dispatch_uid="callops.accounts")
    signals.authenticator_added.connect(factor_added, dispatch_uid="callops.accounts")
    signals.authenticator_removed.connect(factor_removed, dispatch_uid="callops.accounts")
    signals.authenticator_reset.connect(codes_renewed, dispatch_uid="callops.accounts")


def signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    """The sign-in is in the audit, the session begins to be used, and wrong tries are forgiven."""
    throttle.forgive_name(user.get_username())
    detail = {"address": address_of(request), "by": _by(request, user)}
    chain.record(user.get_username(), verbs.SIGN_IN, now=now(), detail=detail)
    use(request.session, now())


def factor_added(user: User, authenticator: Any, **_: Any) -> None:
    """A second factor was added."""
    _record(user, verbs.ADD_FACTOR, authenticator)


def factor_removed(user: User, authenticator: Any, **_: Any) -> None:
    """A second factor was removed."""
    _record(user, verbs.REMOVE_FACTOR, authenticator)


def codes_renewed(user: User, authenticator: Any, **_: Any) -> None:
    """There are new recovery codes, and the old ones are void."""
    _record(user, verbs.RENEW_CODES, authenticator)


def _record(user: User, verb: str, authenticator: Any) -> None:
    detail = {"factor": WORDS.get(str(authenticator.type), str(authenticator.type))}
    chain.record(user.get_username(), verb, now=now(), detail=detail)


def _by(request: HttpRequest, user: User) -> str:
    """`password, authenticator app`: what this sign-in was done with."""
    records = get_authentication_records(request, user)
    kinds = [str(record.get("type") or record.get("method")) for record in records]
    return ", ".join(dict.fromkeys(WORDS.get(kind, kind) for kind in kinds))
