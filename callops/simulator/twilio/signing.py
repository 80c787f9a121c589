"""Signing of webhooks, with the official validator's own arithmetic (contract Twilio 1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urldefrag

from twilio.request_validator import RequestValidator

from callops.simulator.twilio.config import TwilioConfig

SIGNATURE = "X-Twilio-Signature"
SETTINGS = "X-Twilio-Webhooks-Signature-Settings"
SHARED_KEY_ID = "webhooks_sharedkey_01stage000000000000000000000"


def sign(url: str, parameters: Mapping[str, str], token: str, algorithm: str = "HMAC_SHA1") -> str:
    """The base64 signature of one form request; `parameters` may repeat names (`getall` or `getlist`)."""
    signed: str = RequestValidator(token).compute_signature(urldefrag(url).url, parameters, algorithm)
    return signed


def signature_headers(config: TwilioConfig, url: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """The headers that prove a request is ours: by auth token, or by SharedKey when one is configured."""
    if config.sha256_shared_key is None:
        return {SIGNATURE: sign(url, parameters, config.auth_token)}
    return {
        SIGNATURE: sign(url, parameters, config.sha256_shared_key, "HMAC_SHA256"),
        SETTINGS: f"key={SHARED_KEY_ID},algorithm=HMAC_SHA256",
    }
