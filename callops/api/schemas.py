"""The shapes of the JSON API, with the fields and words of interface.md section 5."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from callops.calls import words
from callops.core.text import WHY_UNFIT, is_storable
from callops.sideband.models import Speaker
from callops.supervision.models import Act, Step
from callops.transfers import models as transfer_words
from callops.transfers import tries


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _plain(text: str) -> str:
    if not is_storable(text):
        raise ValueError(WHY_UNFIT)
    if not text.isprintable():
        raise ValueError("only printable characters can be part of it")
    return text


def _one_of(values: list[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": values})


Moment = Annotated[datetime, PlainSerializer(_written), WithJsonSchema({"type": "string", "format": "date-time"})]
"""UTC with milliseconds: 2026-03-01T05:12:54.120Z."""
PlainText = Annotated[str, AfterValidator(_plain)]

CallState = Annotated[str, _one_of(words.State.values)]
Topology = Annotated[str, _one_of(words.Topology.values)]
Runtime = Annotated[str, _one_of(words.Runtime.values)]
Session = Annotated[str, _one_of(words.Session.values)]
Method = Annotated[str, _one_of(words.Method.values)]
Confidence = Annotated[str, _one_of(words.Confidence.values)]
EndedBy = Annotated[str, _one_of(words.EndedBy.values)]
FailureStage = Annotated[str, _one_of(words.FailureStage.values)]
Lane = Annotated[str, _one_of(words.Lane.values)]
Policy = Annotated[str, _one_of(words.Policy.values)]
Speaks = Annotated[str, _one_of(Speaker.values)]
TransferState = Annotated[str, _one_of(transfer_words.State.values)]
Mechanism = Annotated[str, _one_of(transfer_words.Mechanism.values)]
Outcome = Annotated[str, _one_of(transfer_words.Outcome.values)]
Witness = Annotated[str, _one_of(transfer_words.Witness.values)]
TryMethod = Annotated[str, _one_of([str(each) for each in tries.Method])]
TryEnd = Annotated[str, _one_of([str(each) for each in tries.End])]


class Problem(BaseModel):
    """Why it was not done, in a sentence."""

    detail: str


class TransferProblem(Problem):
    """`transfer_id` is there when another transfer of the call is open."""

    transfer_id: str | None = None


class Carrier(BaseModel):
    call_sid: str | None
    ai_leg_sid: str | None
    topology: Topology


class Ai(BaseModel):
    runtime: Runtime
    call_id: str | None
    session: Session


class Correlation(BaseModel):
    method: Method
    confidence: Confidence


class Call(BaseModel):
    """One caller's call; null is what is not known, or did not happen. `from_number` is null when it was withheld."""

    id: str
    state: CallState
    from_number: str | None
    to_number: str | None
    line: str | None
    carrier: Carrier
    ai: Ai
    correlation: Correlation
    started_at: Moment
    answered_at: Moment | None
    ended_at: Moment | None
    ended_by: EndedBy | None
    failure_stage: FailureStage | None
    incomplete: bool


class Turn(BaseModel):
    id: str
    speaker: Speaks
    text: str
    final: bool
    started_at: Moment


class Destination(BaseModel):
    """`name` is null when a URI was asked for."""

    name: str | None
    uri: str


class Refer(BaseModel):
    asked_at: Moment | None
    http_status: int | None
    request_id: str | None
    processing_ms: int | None
    duration_ms: int | None
    deadline_at: Moment | None
    seen_by_carrier_at: Moment | None


class Redirect(BaseModel):
    asked_at: Moment | None
    http_status: int | None
    error_code: int | None
    document_fetched_at: Moment | None


class Evidence(BaseModel):
    """One fact and whose word it is; `event_seq` is its place on the call's timeline."""

    kind: str
    witness: Witness
    at: Moment
    event_seq: int


class Heard(BaseModel):
    """What the caller heard for a while; `ended_at` is null while it goes on."""

    words: str
    started_at: Moment
    ended_at: Moment | None


class Try(BaseModel):
    """One try; `number` counts the tries of its method. Null is what the evidence does not say, or what is not so."""

    method: TryMethod
    number: int
    label: str
    uri: str
    end: TryEnd
    asked_at: Moment | None
    answered_at: Moment | None
    http_status: int | None
    error_code: str | None
    sip_code: int | None
    duration_ms: int | None
    ring_ms: int | None
    human_connected_at: Moment | None
    heard: list[Heard]


class Transfer(BaseModel):
    """`refer` and `redirect` are null as long as they were not asked for."""

    id: str
    call_id: str
    state: TransferState
    mechanism: Mechanism
    outcome: Outcome
    policy: Policy
    destination: Destination
    requested_by: str
    requested_at: Moment
    settled_at: Moment | None
    human_connected_at: Moment | None
    time_to_human_ms: int | None
    refer: Refer | None
    redirect: Redirect | None
    evidence: list[Evidence]
    because: str
    tries: list[Try]


class WholeCall(Call):
    """A call with what was said and how it was moved."""

    transcript: list[Turn]
    transfers: list[Transfer]


class Event(BaseModel):
    seq: int
    at: Moment
    kind: str
    lane: Lane
    body: dict[str, Any]


class Calls(BaseModel):
    """`next` is the cursor of the page after this one, or null."""

    items: list[Call]
    next: str | None


class Events(BaseModel):
    """`next` is the `after` of the page after this one, or null when there is nothing more yet."""

    items: list[Event]
    next: int | None


class InterventionWish(BaseModel):
    """What to do in the conversation; `text` is what is whispered or said."""

    model_config = ConfigDict(extra="forbid")

    act: Act
    text: Annotated[PlainText, Field(max_length=500)] = ""


class Intervention(BaseModel):
    """One act and how far it got; `why` says why it was refused, or why nobody knows."""

    id: str
    call_id: str
    act: Act
    text: str
    requested_by: str
    step: Step
    why: str
    asked_at: Moment
    sent_at: Moment | None
    acknowledged_at: Moment | None
    seen_at: Moment | None


class TransferWish(BaseModel):
    """Where to: the name of a destination, or a URI; the policy of the line counts when none is given."""

    model_config = ConfigDict(extra="forbid")

    destination: Annotated[PlainText, Field(min_length=1, max_length=64)] | None = None
    uri: Annotated[PlainText, Field(min_length=1, max_length=255)] | None = None
    policy: words.Policy | None = None

    @model_validator(mode="after")
    def _names_one_target(self) -> TransferWish:
        if (self.destination is None) == (self.uri is None):
            raise ValueError('give either "destination" or "uri"')
        return self
