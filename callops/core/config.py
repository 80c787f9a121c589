"""The settings of this program as one frozen value; `callops.site.environment` makes it from the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Config:
    """Every variable of the environment, checked. Secrets are left out of `repr`."""

    secret_key: str = field(repr=False)
    privacy_keys: tuple[bytes, ...] = field(repr=False)
    """The first seals what was said, all of them open it; the last is made of `secret_key`."""
    debug: bool
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    """Networks whose word about the browser's address is taken."""
    public_url: str
    """Without a trailing slash."""
    database: dict[str, Any] = field(repr=False)
    """Django's `DATABASES["default"]`."""
    is_sqlite: bool
    redis_url: str = field(repr=False)
    """Empty: the in-memory channel layer of one process."""
    openai_api_key: str = field(repr=False)
    openai_project_id: str
    openai_webhook_secrets: tuple[str, ...] = field(repr=False)
    """The newest first; all of them are good while a secret is being rotated."""
    openai_base_url: str
    """Without a trailing slash, `https://api.openai.com/v1` on the street."""
    openai_sip_host: str
    twilio_account_sid: str
    twilio_auth_tokens: tuple[str, ...] = field(repr=False)
    """The first one is used for REST; all of them check signatures."""
    twilio_api_key_sid: str
    twilio_api_key_secret: str = field(repr=False)
    twilio_base_url: str
    """Without a trailing slash; may have a path."""
    refer_deadline_s: float
    webhook_deadline_s: float
    ghost_after_s: float
    engine_capacity: int
    """How many sidebands one engine holds before it leaves new ones to others."""
    typed_countries: tuple[str, ...]
    typed_sip_domains: tuple[str, ...]
    """Where typed addresses may be; both empty: only destinations of the directory are dialled."""
    transfers_an_hour: int
    """How many transfers one person may ask for in an hour."""
    typed_alone_an_hour: int
    """How many of them to typed addresses without a second person's approval."""
    sign_out_after_minutes: int
    """After how long without use a browser has to sign in again."""
    keep_transcripts_days: int
    keep_frames_days: int
    """How long what was said is kept after the call; 0: for good."""
    keep_audit_days: int
    """How long an entry of the audit is kept; 0: for good."""
    accounts: bool
    """django-allauth's second factors, passkeys and OpenID Connect are switched on."""
    mfa_required_roles: tuple[str, ...]
    """Roles that see nothing before they have a second factor."""
    oidc_issuer: str
    """Empty: no provider of OpenID Connect."""
    oidc_client_id: str
    oidc_client_secret: str = field(repr=False)
    oidc_name: str
    oidc_domains: tuple[str, ...]
    oidc_groups_claim: str
    oidc_roles: tuple[tuple[str, str], ...]
    """Who may come in by it: e-mail domains, and groups of theirs with the role each gives."""
    demo: bool
    """Simulated providers, made-up credentials: `serve --demo`."""


def config() -> Config:
    """The settings this process runs with."""
    return settings.CALLOPS
