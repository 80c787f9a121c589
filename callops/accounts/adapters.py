"""Where allauth asks us: who may come in, how secrets are kept, and which of its words are shown."""

from __future__ import annotations

import base64
from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from callops.accounts import joining
from callops.accounts.switching import PROVIDER
from callops.core.clock import now
from callops.core.config import config
from callops.dashboard.sign_in import address_of
from callops.privacy import sealing

FRESH_S = 300
INACTIVE = "This person was removed. An administrator can let them in again."
FAILED = (
    "The provider's answer could not be used. Sign in again; if it stays so, an administrator finds why in the log."
)
CANCELLED = "Signing in was cancelled at the provider."


def display(user: User) -> str:
    """How allauth names a person."""
    return user.get_username()


def refused(request: HttpRequest, why: str) -> HttpResponse:
    """The page that says why somebody did not come in."""
    return render(request, "account/refused.html", {"why": why}, status=403)


class Accounts(DefaultAccountAdapter):
    """Nobody signs up; only what went wrong is said on the next page."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

    def add_message(self, request: HttpRequest, level: int, *words: Any, **more: Any) -> None:
        if level >= messages.ERROR:
            super().add_message(request, level, *words, **more)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return refused(request, INACTIVE)

    def is_reauthentication_required(self, *, app: str, **_: Any) -> bool:
        """Signing in counts as well as being asked again does, for five minutes."""
        request = context.request
        said = [float(record["at"]) for record in get_authentication_records(request, request.user)]
        return now().timestamp() - max(said, default=0.0) >= FRESH_S

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """allauth's; who has neither password nor factor comes by the provider once more."""
        methods = cast("list[dict[str, Any]]", super().get_reauthentication_methods(user))
        if methods or not user.is_authenticated or not SocialAccount.objects.filter(user=user).exists():
            return methods
        again = reverse("openid_connect_login", kwargs={"provider_id": PROVIDER})
        return [{"id": "provider", "description": config().oidc_name, "url": again}]


class Factors(DefaultMFAAdapter):
    """Secrets of second factors are sealed in the database."""

    def get_totp_label(self, user: User) -> str:
        return user.get_username()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002 - allauth's
        """`Passkey`, `Passkey 2`."""
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return "Passkey" if number == 1 else f"Passkey {number}"

    def encrypt(self, text: str) -> str:
        return base64.b64encode(sealing.seal(text.encode())).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.unseal(base64.b64decode(encrypted_text)).decode()


class Provided(DefaultSocialAccountAdapter):
    """People come in by the provider as `joining` says, and by no form of allauth's."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        try:
            joining.join(request, sociallogin)
        except joining.NotLetIn as why:
            raise ImmediateHttpResponse(refused(request, str(why))) from why

    def on_authentication_error(self, request: HttpRequest, provider: Any, error: Any = None, **more: Any) -> None:
        joining.failed(request, str(more.get("exception") or error))
        words = CANCELLED if error == "cancelled" else FAILED
        raise ImmediateHttpResponse(refused(request, words))
