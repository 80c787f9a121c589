"""What the stage needs to know, and the provider's unpublished figures (contract OpenAI 9), in real seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenAiConfig:
    """One simulated project: its key, its id and where its webhook goes."""

    api_key: str
    project_id: str
    webhook_url: str
    webhook_secret: str
    previous_webhook_secret: str | None = None
    """Signs as well, as in the 24 hours after a rotation (contract OpenAI 1.3)."""
    accept_deadline_s: float = 10.0
    webhook_timeout_s: float = 10.0
    webhook_retries_s: tuple[float, ...] = (5.0, 30.0, 120.0, 600.0, 3600.0)
    """Then hourly, up to 72 hours."""
    late_webhook_s: float = 12.0
    refer_hangs_s: float = 30.0
    session_limit_s: float = 3600.0
    unattended_s: float = 2.0
    """The caller begins to talk this long after the answer when no sideband is attached."""
    gate_patience_s: float = 0.75
    """How long a conversation stands still for a client that should speak next (see `recording`)."""
