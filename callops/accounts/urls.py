"""Addresses of the extra: sign-in with all its ways, and the account page; fewer than allauth has."""

from __future__ import annotations

from allauth.account.views import reauthenticate
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import path, reverse_lazy

from callops.accounts import entering, provider
from callops.accounts.switching import PROVIDER
from callops.core.config import config
from callops.dashboard import sign_in

remove_passkey = webauthn.RemoveWebAuthnView.as_view(success_url=reverse_lazy("mfa_index"))
offers = {"provider": config().oidc_name if config().oidc_issuer else "", "provider_id": PROVIDER}
ways = {"entering": entering.enter, "page": "account/sign_in.html", "offers": offers}

urlpatterns = [
    path("login/", sign_in.sign_in, ways, name="account_login"),
    path("account/", mfa.index, name="mfa_index"),
    path("account/second-factor/", entering.tried(mfa.authenticate), name="mfa_authenticate"),
    path("account/again/", entering.tried(reauthenticate), name="account_reauthenticate"),
    path("account/again/code/", entering.tried(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("account/again/passkey/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("account/app/add/", totp.activate_totp, name="mfa_activate_totp"),
    path("account/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("account/passkeys/add/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/remove/", remove_passkey, name="mfa_remove_webauthn"),
    path("account/passkeys/login/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("account/oidc/<slug:provider_id>/", provider.login, name="openid_connect_login"),
    path("account/oidc/<slug:provider_id>/back/", provider.callback, name="openid_connect_callback"),
]
