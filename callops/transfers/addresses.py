"""The addresses of one transfer that the carrier is handed; `via` says by which way the caller got there."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode

from django.urls import reverse

from callops.core.config import config
from callops.transfers.models import Mechanism, TransferAttempt

Name = Literal["transfer", "human_leg", "human_ended", "screen", "pressed"]


def of_transfer(name: Name, attempt: TransferAttempt, *, via: Mechanism, step: int = 0, screened: bool = False) -> str:
    """The transfer document, the human leg's status, the screening question and its answer, or the human dial's end.

    `step` counts the destinations tried. The carrier repeats `via` and `screened` in its own signed request, so that
    what moved the caller, and what an answered leg means, is its word and not our memory.
    """
    query = urlencode({"via": str(via), "step": step, **({"screened": 1} if screened else {})})
    return f"{config().public_url}{reverse(f'twiml:{name}', args=[attempt.token])}?{query}"
