"""What Django's settings have besides when the extra is switched on. Knows nothing of allauth but its names. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from callops.core.config import Config

APPS: Final[list[str]] = [
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "callops.accounts",
]
PROVIDER: Final = "sso"
"""The name of the provider in its addresses."""


def middleware(before: Sequence[str]) -> list[str]:
    """The site's middleware with allauth's, and with the one that asks for a second factor."""
    found = list(before)
    found.insert(found.index("django.middleware.clickjacking.XFrameOptionsMiddleware"), _ALLAUTH)
    found.insert(found.index("callops.people.sessions.Idle"), _ENROLMENT)
    return found


_ALLAUTH: Final = "allauth.account.middleware.AccountMiddleware"
_ENROLMENT: Final = "callops.accounts.enrolment.SecondFactor"


def settings_of(config: Config) -> dict[str, Any]:
    """allauth's settings: nobody signs up, names and passwords are Django's, no mail is sent."""
    is_https = config.public_url.startswith("https:")
    return {
        "AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"],
        "CACHES": {"default": _cache(config)},
        "ACCOUNT_ADAPTER": "callops.accounts.adapters.Accounts",
        "ACCOUNT_DEFAULT_HTTP_PROTOCOL": "https" if is_https else "http",
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_LOGIN_METHODS": {"username"},
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],
        "ACCOUNT_REAUTHENTICATION_METHODS": ["password", "mfa"],
        "ACCOUNT_RATE_LIMITS": {
            "login": "30/m/ip",
            "login_failed": "20/m/ip,5/300s/key",
            "reauthenticate": "10/m/user",
        },
        "ACCOUNT_USER_DISPLAY": "callops.accounts.adapters.display",
        "MFA_ADAPTER": "callops.accounts.adapters.Factors",
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_ALLOW_UNVERIFIED_EMAIL": True,
        "MFA_PASSKEY_LOGIN_ENABLED": True,
        "MFA_RECOVERY_CODES_SHOW_ONCE": True,
        "MFA_TOTP_ISSUER": "callops",
        "MFA_TOTP_TOLERANCE": 1,
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": not is_https,
        "SOCIALACCOUNT_ADAPTER": "callops.accounts.adapters.Provided",
        "SOCIALACCOUNT_EMAIL_VERIFICATION": "none",
        "SOCIALACCOUNT_LOGIN_ON_GET": True,  # a form may not lead to another origin, by the content policy
        "SOCIALACCOUNT_STORE_TOKENS": False,
        "SOCIALACCOUNT_PROVIDERS": {"openid_connect": {"APPS": [_provider(config)] if config.oidc_issuer else []}},
    }


def _cache(config: Config) -> dict[str, str]:
    """Where allauth counts; used codes and limits hold for all processes when there is Redis."""
    if config.redis_url:
        return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": config.redis_url}
    return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}


def _provider(config: Config) -> dict[str, Any]:
    return {
        "provider_id": PROVIDER,
        "name": config.oidc_name,
        "client_id": config.oidc_client_id,
        "secret": config.oidc_client_secret,
        "settings": {"server_url": config.oidc_issuer, "oauth_pkce_enabled": True},
    }
