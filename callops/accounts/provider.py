"""OpenID Connect as strict as its specification: the id token's signature is checked, and both answers name one person.

allauth may skip the signature of a token that came over TLS, and takes any `sub` of the userinfo endpoint.
"""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from callops.accounts.switching import PROVIDER
from callops.core.config import config


class Strict(OpenIDConnectOAuth2Adapter):
    """One provider, that of the settings."""

    def __init__(self, request: HttpRequest, provider_id: str) -> None:
        if provider_id != PROVIDER or not config().oidc_issuer:
            raise Http404("There is no such provider.")
        super().__init__(request, provider_id)

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """allauth's login with all claims beside it; of them only who it is is kept."""
        told = kwargs["response"].get("id_token")
        if not told:
            raise OAuth2Error("The provider sent no id_token.")
        claims = self._decode_id_token(app, told)
        if "userinfo_endpoint" in self.openid_config:
            more = self._fetch_user_info(token.token)
            if more.get("sub") != claims.get("sub"):
                raise OAuth2Error("The provider's userinfo is about somebody else.")
            claims = {**claims, **more}
        login = self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        login.claims = claims
        login.account.extra_data = {"id_token": {name: claims.get(name) for name in ("sub", "email")}}
        return login

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        return dict(
            jwtkit.verify_and_decode(
                credential=id_token,
                keys_url=self.openid_config["jwks_uri"],
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                lookup_kid=jwtkit.lookup_kid_jwk,
                verify_signature=True,
            )
        )

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Under `PUBLIC_URL`, whatever a proxy says: it is the address the provider knows."""
        return config().public_url + reverse("openid_connect_callback", kwargs={"provider_id": self.provider_id})


@never_cache
@require_GET
def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """On the way to the provider; only ever to sign in."""
    if request.GET.get("process", "login") != "login":
        return HttpResponseBadRequest("Accounts are joined by signing in.")
    answer: HttpResponse = OAuth2LoginView.adapter_view(Strict(request, provider_id))(request)
    return answer


@never_cache
@require_GET
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back from the provider: signed in, on to the second factor, or the reason why not."""
    answer: HttpResponse = OAuth2CallbackView.adapter_view(Strict(request, provider_id))(request)
    return answer
