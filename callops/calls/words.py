"""The words of the outside interface about calls (interface.md sections 3 and 5), one enum a field."""

from __future__ import annotations

from django.db.models import TextChoices


class State(TextChoices):
    RINGING = "ringing", "ringing"
    CONNECTING = "connecting", "connecting"
    LIVE = "live", "live"
    TRANSFERRING = "transferring", "transferring"
    WITH_HUMAN = "with_human", "with human"
    ENDED = "ended", "ended"

    @classmethod
    def unfinished(cls) -> list[State]:
        """Every state but the last; asked for by name, since of "not ended" a database reads every call there was."""
        return [state for state in cls if state != cls.ENDED]


class Session(TextChoices):
    """What is known of the AI's session on one call."""

    NONE = "none", "none"
    ACCEPTING = "accepting", "accepting"
    OPEN = "open", "open"
    RECONNECTING = "reconnecting", "reconnecting"
    CLOSED = "closed", "closed"


class Runtime(TextChoices):
    REALTIME = "realtime", "Realtime"
    LIVE = "live", "Live"


class Topology(TextChoices):
    TWIML = "twiml", "TwiML"
    TRUNK = "trunk", "trunk"


class Policy(TextChoices):
    REFER_THEN_REDIRECT = "refer_then_redirect", "REFER, then redirect"
    REDIRECT_ONLY = "redirect_only", "Redirect only"
    REFER_ONLY = "refer_only", "REFER only"


class ReferTarget(TextChoices):
    TEL = "tel", "tel:"
    SIP = "sip", "sip:"


class Redaction(TextChoices):
    """What is not kept readable of what was said; the label is what stands there instead."""

    CARD = "card", "card number"
    NATIONAL_ID = "national_id", "national id"
    EMAIL = "email", "e-mail address"
    DIGITS = "digits", "long number"

    @classmethod
    def usual(cls) -> list[str]:
        """What a line does not keep readable when its directory says nothing else."""
        return [cls.CARD.value, cls.NATIONAL_ID.value, cls.EMAIL.value]


class Method(TextChoices):
    """How the two halves of a call were joined, best first."""

    SIGNED_HEADER = "signed_header", "signed header"
    CARRIER_SID = "carrier_sid", "carrier SID"
    NUMBERS_AND_TIME = "numbers_and_time", "numbers and time"
    MANUAL = "manual", "by hand"
    NONE = "none", "none"


class Confidence(TextChoices):
    EXACT = "exact", "exact"
    PROBABLE = "probable", "probable"
    NONE = "none", "none"


class EndedBy(TextChoices):
    CALLER = "caller", "the caller"
    ASSISTANT = "assistant", "the assistant"
    OPERATOR = "operator", "an operator"
    HUMAN = "human", "the human"
    CARRIER = "carrier", "the carrier"
    UNKNOWN = "unknown", "unknown"


class FailureStage(TextChoices):
    """Where a call died that never reached the AI (interface.md section 5)."""

    SIP_REJECTED = "sip_rejected", "the AI's SIP side refused the call"
    WEBHOOK_MISSING = "webhook_missing", "the AI's webhook never came"
    ACCEPT_REFUSED = "accept_refused", "our accept was refused"
    ACCEPTED_BUT_DEAD = "accepted_but_dead", "accepted, but the session never opened"
    CALLER_LEFT = "caller_left", "the caller left before any voice"
    OUR_FAULT = "our_fault", "our own fault"


class Role(TextChoices):
    """Who is at the far end of a leg."""

    CALLER = "caller", "caller"
    AI = "ai", "assistant"
    HUMAN = "human", "human"


class LegStatus(TextChoices):
    """Twilio's call statuses (contract Twilio 7)."""

    INITIATED = "initiated", "initiated"
    QUEUED = "queued", "queued"
    RINGING = "ringing", "ringing"
    IN_PROGRESS = "in-progress", "in progress"
    COMPLETED = "completed", "completed"
    BUSY = "busy", "busy"
    NO_ANSWER = "no-answer", "no answer"
    FAILED = "failed", "failed"
    CANCELED = "canceled", "cancelled"


class Lane(TextChoices):
    """Whose word a timeline event is."""

    CALLER = "caller", "caller"
    CARRIER = "carrier", "Twilio"
    US = "us", "callops"
    OPENAI = "openai", "OpenAI"
    HUMAN = "human", "human"
    OPERATOR = "operator", "operator"
    CLOCK = "clock", "clock"
