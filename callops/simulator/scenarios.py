"""Scenarios by name: one for every fault and race the contracts describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from callops.simulator.scenario import Scenario


class UnknownScenario(LookupError):
    """No scenario has this name."""


class BadOverride(ValueError):
    """A change to a scenario that it does not have room for."""


@dataclass(frozen=True, slots=True)
class NamedScenario:
    """A scenario and what one will see when it is played."""

    scenario: Scenario
    description: str


def _told(name: str, description: str, **knobs: Any) -> tuple[str, NamedScenario]:
    return name, NamedScenario(Scenario(name=name, **knobs), description)


TRUNK: Mapping[str, Any] = {"topology": "trunk", "to_number": "+15550102"}

SCENARIOS: Mapping[str, NamedScenario] = MappingProxyType(
    dict(
        (
            _told("default", "An ordinary call; a transfer's REFER is answered 200 and never leaves."),
            _told("happy_silent_refer", "REFER is answered 200 and never leaves; the redirect brings the human."),
            _told("refer_works", "REFER leaves at once; the carrier asks our refer URL.", refer="works"),
            _told("refer_late", "REFER leaves six seconds after its 200, after the redirect.", refer="late"),
            _told("refer_tel_400", "REFER to a tel: URI is refused with 400; sip: would do.", refer="tel_400"),
            _told("refer_404", "REFER is answered 404: OpenAI no longer knows the call.", refer="http_404"),
            _told("refer_409", "REFER is answered 409.", refer="http_409"),
            _told("refer_500", "REFER is answered 500.", refer="http_500"),
            _told("refer_hangs", "REFER is not answered before any client gives up.", refer="hang"),
            _told("refer_dropped", "The connection is dropped while REFER is being answered.", refer="dropped"),
            _told("refer_named_silent", "REFER is answered 200 with a request id and never leaves.",
                  refer="named_silent"),
            _told("refer_meets_redirect", "REFER leaves just when the redirect arrives at the carrier.",
                  refer="with_redirect", redirect_latency_s=0.3),
            _told("refer_works_human_slow", "REFER works; the human's phone still rings when its deadline is over.",
                  refer="works", human_answers_after_s=7.0),
            _told("refer_works_human_busy", "REFER works, the human is busy, the caller is back with the AI.",
                  refer="works", human="busy"),
            _told("refer_without_action", "REFER works; the first dial's action is never requested.",
                  refer="works", action_after_refer=False),
            _told("human_busy", "The first human is busy, the next one answers.", human="busy"),
            _told("human_no_answer", "The first human's phone rings out, the next one answers.", human="no_answer"),
            _told("human_fails", "The first human's number cannot be reached, the next one answers.", human="fails"),
            _told("human_voicemail", "A mailbox answers in the human's place.", human="voicemail"),
            _told("nobody_answers", "Neither the first nor the second human answers.",
                  human="no_answer", second_human="busy"),
            _told("human_slow", "The human answers after twenty seconds of ringing.", human_answers_after_s=20.0),
            _told("caller_hangs_up_early", "The caller hangs up nine seconds into the conversation.",
                  caller_hangs_up_at_s=9.0),
            _told("caller_hangs_up_while_ringing", "The caller gives up before the AI answers.",
                  caller_hangs_up_while_ringing=True),
            _told("caller_hangs_up_during_transfer", "The caller leaves two seconds after the transfer was asked.",
                  caller_patience_s=2.0),
            _told("withheld", "The caller's number is withheld.", from_number="anonymous",
                  conversation="withheld_long"),
            _told("withheld_keypad", "A withheld number spelled on the keypad.", from_number="+266696687",
                  conversation="billing_short"),
            _told("silent_caller", "The caller never says a word.", conversation="silent_caller"),
            _told("dead_air", "The caller asks something and the assistant never answers.",
                  conversation="silent_assistant"),
            _told("dtmf", "The caller uses the keypad.", conversation="dtmf_menu"),
            _told("german", "A conversation in German.", conversation="german_move", from_number="+15550131"),
            _told("spanish", "A conversation in Spanish.", conversation="spanish_outage", from_number="+15550132"),
            _told("barge_in", "The caller interrupts the assistant twice.", conversation="barge_in"),
            _told("short_call", "A question about a bill, answered; the caller says goodbye.",
                  conversation="billing_short"),
            _told("assistant_transfers", "The assistant itself asks for a transfer with its tool.",
                  conversation="asks_for_person"),
            _told("assistant_transfers_refer_works", "The assistant transfers, and REFER works.",
                  conversation="asks_for_person", refer="works"),
            _told("said_not_done", "The assistant says that it is transferring and calls no tool.",
                  conversation="empty_promise"),
            _told("assistant_ends", "The assistant ends the call with its tool.", conversation="goodbye"),
            _told("sip_400_no_webhook", "OpenAI refuses the INVITE with 400 and sends no webhook.", sip_refuses=400),
            _told("sip_503", "OpenAI refuses the INVITE with 503.", sip_refuses=503),
            _told("sip_603", "OpenAI declines the INVITE with 603.", sip_refuses=603),
            _told("webhook_never", "The AI rings, no webhook comes, then a 400.", webhook="never"),
            _told("webhook_late", "The webhook comes long after the dial gave up.", webhook="late"),
            _told("webhook_duplicate", "The webhook is delivered twice.", webhook="duplicate"),
            _told("accept_dead", "Accept is answered 200 and the session is dead.", accept="dead"),
            _told("accept_500", "Accept is answered 500.", accept="http_500"),
            _told("accept_hangs", "Accept is not answered.", accept="hang"),
            _told("accept_slow", "Accept takes four seconds.", accept_latency_s=4.0),
            _told("sideband_late", "The sideband answers 404 for three seconds.", sideband_ready_s=3.0),
            _told("sideband_drops", "The sideband drops after twelve seconds, the call goes on.",
                  drop_sideband_at_s=12.0),
            _told("sideband_garbage", "The sideband sends a frame that is no JSON.", garbage_frame_at_s=6.0),
            _told("session_created", "The sideband begins with session.created.", session_created=True),
            _told("redirect_429", "Every redirect is refused with 429.", redirect="http_429"),
            _told("redirect_500", "Every redirect is answered 500 with an HTML body.", redirect="http_500"),
            _told("redirect_hangs", "A redirect is neither applied nor answered.", redirect="hang"),
            _told("redirect_lost_answer", "A redirect is applied, its answer never comes.",
                  redirect="applied_no_answer"),
            _told("redirect_gone", "The caller leaves just before the redirect: 21220.", redirect="gone"),
            _told("redirect_429_once", "The first redirect is refused with 429 and Retry-After, the second works.",
                  redirect="http_429", redirect_faults=1),
            _told("redirect_429_twice", "Two redirects are refused with 429 and Retry-After, the third works.",
                  redirect="http_429", redirect_faults=2),
            _told("redirect_500_once", "The first redirect is answered 500, the second works.",
                  redirect="http_500", redirect_faults=1),
            _told("redirect_500_twice", "Two redirects are answered 500, the third works.",
                  redirect="http_500", redirect_faults=2),
            _told("redirect_lost_once", "The first redirect is neither applied nor answered, the second works.",
                  redirect="hang", redirect_faults=1),
            _told("redirect_slow_fetch", "The redirect's document is asked for three seconds after its 200.",
                  redirect_fetch_s=3.0),
            _told("ai_leaves_before_redirect", "The AI's leg ends by itself while the REFER is being waited for.",
                  ai_hangs_up_after_refer_s=0.8),
            _told("ai_leaves_during_redirect", "The AI's leg ends by itself just before the redirect takes effect.",
                  ai_hangs_up_at_redirect=True, redirect_latency_s=0.8),
            _told("ai_leaves_redirect_lost", "The AI's leg ends by itself and the redirect is lost on its way.",
                  ai_hangs_up_at_redirect=True, redirect="hang"),
            _told("carrier_rest_down", "The carrier answers 500 to every redirect and every hang-up.",
                  redirect="http_500", end_leg="http_500"),
            _told("callbacks_shuffled", "Status callbacks overtake each other.", callbacks="shuffled"),
            _told("callbacks_duplicated", "Every status callback comes twice.", callbacks="duplicated"),
            _told("headers_stripped", "The INVITE arrives without the headers the SIP URI asked for.",
                  strips_headers=True),
            _told("wrong_leg", "OpenAI is told only the SID of the AI's own leg, and no callback names it.",
                  strips_headers=True, callbacks="lost"),
            _told("callbacks_lost", "No status callback comes.", callbacks="lost"),
            _told("trunk_refer_works", "A trunk call; REFER makes a child call.", **TRUNK, refer="works"),
            _told("trunk_refer_silent", "A trunk call; REFER is answered 200 and never leaves.", **TRUNK),
            _told("trunk_refer_late", "A trunk call; REFER leaves six seconds after its 200 and makes a child call.",
                  **TRUNK, refer="late"),
            _told("trunk_refer_refused", "A trunk that allows no transfers: alert 32218.", **TRUNK,
                  refer="works", trunk_transfer_mode="disable-all"),
            _told("trunk_sip_400", "A trunk whose origination to OpenAI fails; its recovery document leads on.",
                  **TRUNK, sip_refuses=400),
            _told("human_declines", "The human answers and, when asked to press 1, presses another key.",
                  human="declines"),
            _told("ai_refuses_again", "Nobody takes the call, and OpenAI refuses the caller who comes back.",
                  human="busy", second_human="busy", sip_refuses_again=503),
            _told("sip_403", "OpenAI refuses the INVITE with 403.", sip_refuses=403),
            _told("sip_486", "OpenAI is busy: the INVITE is refused with 486.", sip_refuses=486),
            _told("sip_503_once", "OpenAI refuses the first INVITE with 503 and takes the next.",
                  sip_refuses=503, failing_tries=1),
            _told("accept_dead_once", "The first session is dead though its accept was answered 200, the next lives.",
                  accept="dead", failing_tries=1),
            _told("webhook_thrice", "The webhook is delivered three times at once.", webhook="thrice"),
            _told("webhook_answer_lost", "Our answer to the webhook is lost; it comes again after five seconds.",
                  webhook="answer_lost"),
            _told("accept_404", "Accept is answered 404: OpenAI no longer knows the call.", accept="http_404"),
            _told("accept_409", "Accept is answered 409: another program has accepted.", accept="http_409"),
            _told("accept_429", "Every accept is refused with 429.", accept="http_429"),
            _told("accept_429_once", "The first accept is refused with 429, the second works.",
                  accept="http_429", accept_faults=1),
            _told("accept_500_once", "The first accept is answered 500, the second works.",
                  accept="http_500", accept_faults=1),
            _told("sideband_drops_1011", "The sideband is closed with 1011 after twelve seconds, the call goes on.",
                  drop_sideband_at_s=12.0, sideband_drop_code=1011),
            _told("sideband_drops_1012", "The sideband is closed with 1012 after twelve seconds, the call goes on.",
                  drop_sideband_at_s=12.0, sideband_drop_code=1012),
            _told("sideband_ends_1000", "At the end of the call the sideband is closed with 1000.",
                  sideband_end_code=1000),
            _told("sideband_ends_1001", "At the end of the call the sideband is closed with 1001.",
                  sideband_end_code=1001),
            _told("sideband_ends_1011", "At the end of the call the sideband is closed with 1011.",
                  sideband_end_code=1011),
            _told("sideband_ends_1012", "At the end of the call the sideband is closed with 1012.",
                  sideband_end_code=1012),
            _told("session_expires", "The session is over after forty seconds, as it is after an hour in the field.",
                  session_lasts_s=40.0),
            _told("ghost", "The caller gives up while the AI rings, and OpenAI accepts all the same.",
                  caller_hangs_up_while_ringing=True, ghost=True),
            _told("callbacks_all_lost", "No callback comes, nor any other request that steers nothing.",
                  callbacks="all_lost"),
        )
    )
)  # fmt: skip

_HINTS = get_type_hints(Scenario)


def scenario_named(name: str) -> Scenario:
    """The scenario of this name; raises `UnknownScenario`."""
    try:
        return SCENARIOS[name].scenario
    except KeyError:
        raise UnknownScenario(name) from None


def overridden(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """The scenario with some knobs turned; raises `BadOverride` for an unknown knob or a value it cannot have."""
    known = {field.name for field in fields(Scenario)}
    for name, value in changes.items():
        if name not in known:
            raise BadOverride(f"{name} is not a field of a scenario")
        if not _fits(_HINTS[name], value):
            raise BadOverride(f"{name} cannot be {value!r}")
    if changes.get("speed", 1.0) <= 0:
        raise BadOverride("speed must be more than 0")
    return replace(scenario, **changes)


def _fits(kind: Any, value: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_args(kind):
        return any(_fits(part, value) for part in get_args(kind))
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is kind
