"""The TwiML this stage speaks: elements, their attributes and children (contract Twilio 2, 3.7, 6 and 11)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Element:
    """What one element may carry; names are case-sensitive."""

    attributes: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    text: bool = False


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_RECORDING = "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent"
_CALLBACK = "statusCallback statusCallbackMethod statusCallbackEvent"
_MACHINE = (
    "machineDetection machineDetectionTimeout machineDetectionSpeechThreshold machineDetectionSpeechEndThreshold "
    "machineDetectionSilenceTimeout amdStatusCallback amdStatusCallbackMethod"
)
_SSML = _words("break emphasis lang p phoneme prosody s say-as sub w")
_STARTED = _words("Stream Transcription Recording Siprec")
_TOP = _words("Say Play Pause Gather Dial Redirect Hangup Reject Start Stop")

ELEMENTS: dict[str, Element] = {
    "Response": Element(children=_TOP),
    "Say": Element(_words("voice language loop"), _SSML, text=True),
    "Play": Element(_words("loop digits"), text=True),
    "Pause": Element(_words("length")),
    "Gather": Element(
        _words(
            "action method timeout numDigits finishOnKey input language hints bargeIn speechTimeout maxSpeechTime "
            "partialResultCallback partialResultCallbackMethod actionOnEmptyResult profanityFilter speechModel "
            "enhanced debug"
        ),
        _words("Say Play Pause"),
    ),
    "Dial": Element(
        _words(
            "action method timeout hangupOnStar timeLimit callerId record trim recordingConfigurationId "
            f"recordingTrack answerOnBridge ringTone sequential referUrl referMethod events passports {_RECORDING}"
        ),
        _words("Sip Number Conference"),
        text=True,
    ),
    "Sip": Element(_words(f"username password url method {_CALLBACK} {_MACHINE}"), text=True),
    "Number": Element(_words(f"sendDigits url method byoc {_CALLBACK} {_MACHINE}"), text=True),
    "Conference": Element(
        _words(
            "muted beep startConferenceOnEnter endConferenceOnExit waitUrl waitMethod maxParticipants record "
            "recordingConfigurationId region coach trim eventCallbackUrl jitterBufferSize participantLabel "
            f"{_CALLBACK} {_RECORDING}"
        ),
        text=True,
    ),
    "Redirect": Element(_words("method"), text=True),
    "Hangup": Element(),
    "Reject": Element(_words("reason")),
    "Start": Element(_words("action method"), _STARTED),
    "Stop": Element(children=_STARTED),
    "Stream": Element(
        _words("name connectorName url track statusCallback statusCallbackMethod"), frozenset({"Parameter"})
    ),
    "Siprec": Element(_words("name connectorName track statusCallback statusCallbackMethod"), frozenset({"Parameter"})),
    "Transcription": Element(
        _words(
            "name track statusCallbackUrl statusCallbackMethod inboundTrackLabel outboundTrackLabel partialResults "
            "languageCode transcriptionEngine profanityFilter speechModel hints enableAutomaticPunctuation "
            "intelligenceService"
        )
    ),
    "Recording": Element(_words(f"trim track channels recordingConfigurationId {_RECORDING}")),
    "Parameter": Element(_words("name value")),
}

METHODS = _words("method referMethod statusCallbackMethod recordingStatusCallbackMethod waitMethod")
FLAGS = _words(
    "answerOnBridge hangupOnStar sequential actionOnEmptyResult bargeIn startConferenceOnEnter endConferenceOnExit"
)
WHOLE_NUMBERS: dict[tuple[str, str], tuple[int, int]] = {
    ("Dial", "timeout"): (5, 600),
    ("Dial", "timeLimit"): (1, 86400),
    ("Pause", "length"): (0, 600),
    ("Gather", "numDigits"): (1, 128),
    ("Gather", "timeout"): (0, 600),
    ("Say", "loop"): (0, 1000),
    ("Play", "loop"): (0, 1000),
}
URLS = _words("action referUrl url statusCallback statusCallbackUrl recordingStatusCallback waitUrl")
"""Attributes that hold a URL and are resolved against the document's own."""
TEXT_URLS = _words("Redirect Play")
"""Elements whose text is a URL."""
