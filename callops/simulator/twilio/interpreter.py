"""Fetches documents and runs their verbs, with the number's fallback when one fails (contract Twilio 1.2 and 1.4)."""

from __future__ import annotations

import asyncio

from callops.simulator.twilio.courier import DeliveryFailed, Parcel
from callops.simulator.twilio.dial import DialRun
from callops.simulator.twilio.documents import Document, Source, error_parameters, read_answer, read_inline
from callops.simulator.twilio.leg import Flow, Leg, Turn
from callops.simulator.twilio.refer import carry_out
from callops.simulator.twilio.twiml import TwimlError, Verb
from callops.simulator.twilio.verbs import VERBS


async def run_documents(leg: Leg, todo: Turn) -> Flow:
    """Run a document and whatever follows from it; HANG_UP when a verb said so, EXHAUSTED when no verb was left."""
    fallback = _fallback_of(leg, Source())
    while not isinstance(todo, Flow):
        try:
            if isinstance(todo, Source):
                fallback = _fallback_of(leg, todo)
                todo = await fetch(leg, todo)
            todo = await _run(leg, todo)
        except TwimlError as error:
            todo = _after_failure(leg, error, fallback)
    return todo


async def fetch(leg: Leg, source: Source) -> Document:
    """The document of a source; `TwimlError` when it cannot be had. A request once made is never taken back."""
    if source.inline is not None:
        return read_inline(source.inline)
    parameters = leg.call.parameters(source.status) | dict(source.parameters)
    parcel = Parcel(source.url, source.method, parameters, source.purpose, leg.call.sid)
    request = leg.board.spawn(leg.board.courier.deliver(parcel))
    try:
        return read_answer(await leg.during(asyncio.shield(request)))
    except DeliveryFailed as failure:
        raise TwimlError(failure.code, failure.text, failure.url) from failure
    except TwimlError as error:
        raise TwimlError(error.code, error.text, source.url) from error


async def _run(leg: Leg, document: Document) -> Turn:
    for position, verb in enumerate(document.verbs):
        following = document.verbs[position + 1] if position + 1 < len(document.verbs) else None
        turn = await _perform(leg, verb, following, document)
        if turn is not Flow.NEXT:
            return turn
    return Flow.EXHAUSTED


async def _perform(leg: Leg, verb: Verb, following: Verb | None, document: Document) -> Turn:
    if verb.name == "Dial":
        if not leg.may_dial:
            raise TwimlError(13201, "Dial: cannot be used in the screening document of a leg", document.url)
        return await DialRun(leg, verb, following).perform(fetch, carry_out)
    return await VERBS[verb.name](leg, verb, document)


def _fallback_of(leg: Leg, source: Source) -> Source | None:
    if source.is_fallback:
        return None
    own = leg.board.config.fallback_url if leg.call.parent is None else None
    url = source.fallback_url or own
    if url is None:
        return None
    return Source(url, source.fallback_method, purpose="fallback", is_fallback=True, status=source.status)


def _after_failure(leg: Leg, error: TwimlError, fallback: Source | None) -> Turn:
    leg.board.alerts.sound(leg.call, error.code, error.text, url=error.url)
    if fallback is None:
        leg.answer()
        leg.board.note(leg.call, "application_error", code=error.code)
        return Flow.HANG_UP
    return Source(
        fallback.url,
        fallback.method,
        parameters=error_parameters(error.code, error.url),
        purpose="fallback",
        status=fallback.status,
        is_fallback=True,
    )
