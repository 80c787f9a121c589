"""One scenario: every knob of one simulated call, by name. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Refer = Literal[
    "silent",
    "named_silent",
    "works",
    "late",
    "with_redirect",
    "tel_400",
    "http_404",
    "http_409",
    "http_500",
    "hang",
    "dropped",
]
Human = Literal["answers", "busy", "no_answer", "fails", "voicemail", "declines"]
Redirect = Literal["works", "http_429", "http_500", "hang", "applied_no_answer", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What happens on one call; the defaults are the field's normal case (contracts, OpenAI 9 and Twilio 11)."""

    name: str = "default"
    conversation: str = "outage_transfer"
    lines: tuple[Any, ...] = ()
    """What is said in its place, when the conversation was handed in (`openai.written`)."""
    from_number: str = "+15550123"
    to_number: str = "+15550100"
    topology: Literal["twiml", "trunk"] = "twiml"
    strips_headers: bool = False
    """A hop on the way drops the headers the SIP URI asked for; the carrier's own arrive (contract Twilio 2.5)."""
    speed: float = 1.0
    """How much faster than life the conversation and the people are; carrier and HTTP latencies are not scaled."""

    # OpenAI
    webhook: Literal["normal", "never", "duplicate", "late", "thrice", "answer_lost"] = "normal"
    webhook_delay_s: float = 0.15
    accept_latency_s: float = 1.0
    accept: Literal["works", "dead", "http_404", "http_409", "http_429", "http_500", "hang"] = "works"
    sideband_ready_s: float = 0.3
    sideband_open_s: float = 0.62
    session_created: bool = False
    drop_sideband_at_s: float | None = None
    """The sideband socket drops this long after it opened, the call goes on (contract OpenAI 4.3)."""
    garbage_frame_at_s: float | None = None
    refer: Refer = "silent"
    refer_latency_s: float = 0.616
    refer_late_by_s: float = 6.0
    """With `late`: how long after its 200 the REFER leaves."""
    ai_hangs_up_after_refer_s: float | None = None
    """The AI's leg ends by itself this long after a REFER was asked of it (contract Twilio 3.3)."""
    ai_hangs_up_at_redirect: bool = False
    """The AI's leg ends by itself at the moment a redirect is asked of the carrier (contract Twilio 3.3)."""
    sip_refuses: int | None = None
    """OpenAI answers the INVITE with this code at once and sends no webhook (contract OpenAI 5.2 #1)."""
    sip_refuses_again: int | None = None
    """OpenAI answers so only when the same caller is dialled to it a second time."""
    failing_tries: int | None = None
    """How many dials of the AI fail as `sip_refuses`, `webhook` and `accept` say before one works; None: all."""
    webhook_retry_s: float | None = None
    """From one delivery of a webhook that nobody took to the next; None: the provider's times (contract OpenAI 9)."""
    accept_faults: int | None = None
    """How many accepts fail as `accept` says before they work; None: all of them."""
    sideband_drop_code: Literal[1006, 1011, 1012] = 1006
    """How the sideband drops while the call lives; 1006 is without a close frame (contract OpenAI 4.3)."""
    sideband_end_code: Literal[1000, 1001, 1006, 1011, 1012] = 1006
    """How the sideband drops when the call is over (contract OpenAI 4.3)."""
    session_lasts_s: float | None = None
    """From the accept to the end of its session, shorter by the speed; None: the provider's 60 minutes."""
    ghost: bool = False
    """OpenAI does not notice that the caller gave up while it rang, and accepts all the same (contract OpenAI 1.5)."""

    # People
    caller_hangs_up_at_s: float | None = None
    """Seconds after the AI answered (or after the ring when it never answers)."""
    caller_patience_s: float = 30.0
    """How long the caller waits in silence after a transfer was asked before hanging up."""
    caller_hangs_up_while_ringing: bool = False
    human: Human = "answers"
    human_answers_after_s: float = 4.0
    human_talks_s: float = 20.0
    second_human: Human = "answers"

    # Twilio
    redirect: Redirect = "works"
    redirect_faults: int | None = None
    """How many redirects of a caller fail as `redirect` says before they work; None: all of them."""
    redirect_latency_s: float = 0.0
    """From the arrival of a redirect to its effect and its answer."""
    redirect_fetch_s: float = 0.65
    """From the effect of a redirect to the request for its document (contract Twilio 3.2)."""
    retry_after_s: int | None = 1
    """What a 429 says in `Retry-After`; None: nothing, the header is not guaranteed (contract Twilio 3.6)."""
    end_leg: Literal["works", "http_500"] = "works"
    """What becomes of the wish to end a leg by REST."""
    trunk_transfer_mode: Literal["disable-all", "enable-all", "sip-only"] = "enable-all"
    action_after_refer: bool = True
    callbacks: Literal["ordered", "shuffled", "duplicated", "lost", "all_lost"] = "ordered"

    def at_try(self, number: int) -> Scenario:
        """The scenario as the AI's dial of this number meets it, counted from 1."""
        if self.failing_tries is None or number <= self.failing_tries:
            return self
        return replace(self, sip_refuses=None, webhook="normal", accept="works")
