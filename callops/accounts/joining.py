"""Somebody the provider vouches for becomes a person of ours: the one they were, one found by e-mail, or a new one."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from callops.accounts.admission import Admission, Rules, admit
from callops.audit import chain, verbs
from callops.core.clock import now
from callops.core.config import config
from callops.dashboard.sign_in import address_of
from callops.people import groups

logger = logging.getLogger(__name__)
BY = "OpenID Connect"


class NotLetIn(Exception):
    """The person may not come in; the message says why."""


def join(request: HttpRequest, sociallogin: Any) -> None:
    """`sociallogin` is of a person of ours, whose role is what their groups say. Raises `NotLetIn`."""
    settings = config()
    rules = Rules(settings.oidc_domains, settings.oidc_roles, settings.oidc_groups_claim)
    admission = admit(getattr(sociallogin, "claims", {}), rules)
    why_not = admission.why_not
    if not why_not:
        with transaction.atomic():
            why_not = _join(request, sociallogin, admission)
    if why_not:
        failed(request, why_not, who=admission.email)
        raise NotLetIn(why_not)


def failed(request: HttpRequest, why: str, *, who: str = "") -> None:
    """That somebody could not come in is in the audit and in the log."""
    logger.warning("Signing in by OpenID Connect failed: %s", why)
    detail = {"address": address_of(request), "by": BY, "why": why[:200]}
    chain.record(who[:150], verbs.SIGN_IN_FAILED, now=now(), detail=detail)


def _join(request: HttpRequest, sociallogin: Any, admission: Admission) -> str:
    """Why not; empty when it is done."""
    if not sociallogin.is_existing:
        known = list(_called(admission.email))
        if len(known) > 1:
            return f"Several people here have the address {admission.email}."
        if not known and not admission.may_be_new:
            return f"There is nobody with the address {admission.email} here. An administrator can add them."
        user = known[0] if known else _new(admission.email)
        if not user.is_active:
            return "This person was removed. An administrator can let them in again."
        sociallogin.connect(request, user)
    if config().oidc_roles and not sociallogin.user.is_superuser:
        _give_role(sociallogin.user, admission)
    return ""


def _called(email: str) -> Any:
    """People with this e-mail address, or called so."""
    return User.objects.filter(Q(email__iexact=email) | Q(username__iexact=email))


def _new(email: str) -> User:
    user = User.objects.create_user(email[:150], email=email)
    chain.record(BY, verbs.PERSON, now=now(), detail={"person": user.get_username(), "add": True})
    return user


def _give_role(user: User, admission: Admission) -> None:
    if groups.role_of(user) == admission.role:
        return
    groups.give(user, admission.role)
    role = admission.role.value if admission.role else "none"
    chain.record(BY, verbs.PERSON, now=now(), detail={"person": user.get_username(), "role": role})
