"""What one simulated account is set to: credentials, the number's URLs, the trunk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TwilioConfig:
    """The account as its owner would have configured it in the Console (contract Twilio 1 and 4)."""

    account_sid: str
    auth_token: str
    api_key_sid: str = ""
    api_key_secret: str = ""
    voice_url: str = ""
    fallback_url: str | None = None
    sha256_shared_key: str | None = None
    """When set, webhooks are signed with this SharedKey and HMAC_SHA256 instead of the auth token."""
    status_url: str | None = None
    """The number's status callback; requested once, at the end of an inbound call (contract Twilio 7)."""
    debugger_url: str | None = None
    """The account's Debugger webhook; every alert is posted there (contract Twilio 5)."""
    debugger_delay_s: float = 1.0
    """How long an alert takes to get there (contract Twilio 5: seconds, assumed)."""
    trunk_origination_url: str = "sip:proj_stage@sip.api.openai.com;transport=tls"
    disaster_recovery_url: str | None = None
    """TwiML of a trunk whose origination failed; without it the caller hears busy (contract Twilio 4)."""
    trunk_sid: str = "TK08b4e1c69d7f4a2db35c9e0f71a6d842"
