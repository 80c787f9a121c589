"""Kinds of timeline events: one word pair each, who it is about first. Bodies are small; raw frames live elsewhere."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    # The carrier's requests and answers (body of requests: the callback's parameters under "params").
    CARRIER_INBOUND = "carrier.inbound"
    CARRIER_RECOVERY = "carrier.recovery"  # a trunk could not reach the AI and asks where the caller goes
    CARRIER_LEG = "carrier.leg"  # role, sid, status, sip_code
    CARRIER_DIAL_ENDED = "carrier.dial_ended"  # the AI dial's action: dial_status, bridged, sip_code, caller_on_line
    CARRIER_REFER = "carrier.refer"  # target
    CARRIER_DOCUMENT = "carrier.document"  # via: refer | redirect | dial_action; label
    CARRIER_HUMAN_DIAL_ENDED = "carrier.human_dial_ended"  # dial_status, bridged, sip_code, via, label
    CARRIER_SCREENING = "carrier.screening"  # the callee's leg was answered and is asked to press 1: label, via
    CARRIER_REDIRECT_ANSWERED = "carrier.redirect_answered"  # status, error_code, duration_ms, absent
    CARRIER_REDIRECT_UNANSWERED = "carrier.redirect_unanswered"  # reason, duration_ms
    CARRIER_LOOKED_UP = "carrier.looked_up"  # sid, status, what, ai_leg
    CARRIER_HANGUP_ANSWERED = "carrier.hangup_answered"
    CARRIER_CHILD_SEEN = "carrier.child_seen"  # trunk: sid, to, status
    CARRIER_ALERT = "carrier.alert"  # the Debugger's word: code, text, level, resource_sid, raised_at
    # OpenAI's requests, answers and frames.
    OPENAI_WEBHOOK = "openai.webhook"  # type, call_id, sip_headers, age_s
    OPENAI_ACCEPT_ANSWERED = "openai.accept_answered"  # status, absent, duration_ms, request_id, error
    OPENAI_ACCEPT_UNANSWERED = "openai.accept_unanswered"
    OPENAI_SIDEBAND_OPEN = "openai.sideband_open"  # again: bool, duration_ms
    OPENAI_SIDEBAND_REFUSED = "openai.sideband_refused"  # status, tries
    OPENAI_SIDEBAND_DROPPED = "openai.sideband_dropped"  # code, reason
    OPENAI_SESSION_OVER = "openai.session_over"  # why
    OPENAI_GHOST = "openai.ghost"  # after_s: a session nobody is on: no speech, no key, no carrier leg
    OPENAI_ERROR = "openai.error"  # type, code, message
    OPENAI_RESPONSE_FAILED = "openai.response_failed"  # status, reason
    OPENAI_TOOL_CALL = "openai.tool_call"  # name, arguments, call_id
    OPENAI_INTERRUPTED = "openai.interrupted"  # item_id, heard_ms
    OPENAI_DTMF = "openai.dtmf"  # key
    OPENAI_NOTE_ADDED = "openai.note_added"  # item_id: what we told the assistant stands in its conversation
    OPENAI_TURN = "openai.turn"  # a finished turn: speaker, text, turn
    OPENAI_UNKNOWN_FRAME = "openai.unknown_frame"  # type
    OPENAI_GARBAGE = "openai.garbage"  # sample
    OPENAI_REFER_ANSWERED = "openai.refer_answered"  # status, request_id, processing_ms, duration_ms, absent, error
    OPENAI_REFER_UNANSWERED = "openai.refer_unanswered"  # reason, duration_ms
    OPENAI_SUMMARY = "openai.summary"  # text, transfer: the AI's own sentence for the person who takes the call
    OPENAI_HANGUP_ANSWERED = "openai.hangup_answered"
    OPENAI_ACT_ACKNOWLEDGED = "openai.act_acknowledged"  # act, by, intervention: the matching server event came
    OPENAI_ACT_SEEN = "openai.act_seen"  # act, by, intervention: it shows in the conversation
    OPENAI_ACT_REFUSED = "openai.act_refused"  # act, by, intervention, why
    # What callops did.
    US_DIALLED_AI = "us.dialled_ai"  # handed the carrier the document that dials the AI
    US_CORRELATED = "us.correlated"  # method, confidence, because
    US_ACCEPT_ASKED = "us.accept_asked"
    US_ACCEPT_HELD_BACK = "us.accept_held_back"  # why, cause: too_old | caller_gone | no_line | unfit
    US_TOOL_ANSWERED = "us.tool_answered"  # name, output
    US_SUMMARY_ASKED = "us.summary_asked"  # transfer
    US_REFER_ASKED = "us.refer_asked"  # target_uri, transfer
    US_REDIRECT_ASKED = "us.redirect_asked"  # sid, transfer
    US_HANGUP_ASKED = "us.hangup_asked"
    US_RESCUED = "us.rescued"  # handed a document that leads the caller on: label, why
    US_TOLD_ASSISTANT = "us.told_assistant"  # about: waiting | over; words, label, transfer, speak, item_id
    US_CALL_BACK_OPENED = "us.call_back_opened"  # number (blank: withheld), why
    US_AI_LEFT = "us.ai_left"  # why: the AI's leg ended by itself, the caller was still on the line: an incident
    US_ACT_LOST = "us.act_lost"  # act, by, intervention, why: handed over, and nobody answered in time
    US_FAULT = "us.fault"  # what
    # People.
    HUMAN_PRESSED = "human.pressed"  # label, key, taken, via
    OPERATOR_TRANSFER_ASKED = "operator.transfer_asked"  # label, uri, by, policy, transfer
    OPERATOR_APPROVAL_ASKED = "operator.approval_asked"  # by, uri: a second person has to agree
    OPERATOR_APPROVED = "operator.approved"  # by, asked_by, uri
    OPERATOR_DECLINED = "operator.declined"  # by, asked_by, uri
    OPERATOR_CANCELLED = "operator.cancelled"  # by, transfer
    OPERATOR_HANGUP = "operator.hangup"  # by
    OPERATOR_CALL_BACK_DONE = "operator.call_back_done"  # by
    OPERATOR_WHISPERED = "operator.whispered"  # by, text, intervention: asked, not yet done
    OPERATOR_SAID = "operator.said"  # by, text, intervention
    OPERATOR_PAUSED = "operator.paused"  # by, intervention
    OPERATOR_RESUMED = "operator.resumed"  # by, intervention
    OPERATOR_MARKED = "operator.marked"  # by, text: a moment somebody wants to find again
    OPERATOR_HELD = "operator.held"  # by, why: a legal hold; nothing of the call is deleted
    OPERATOR_HOLD_LIFTED = "operator.hold_lifted"  # by
    OPERATOR_ERASED = "operator.erased"  # by: the caller's number and what was said
    # Deadlines.
    CLOCK_REFER_DEADLINE = "clock.refer_deadline"  # deadline_s, transfer
    CLOCK_WEBHOOK_MISSING = "clock.webhook_missing"  # deadline_s
    CLOCK_SESSION_NEARLY_OVER = "clock.session_nearly_over"  # ends_at
    CLOCK_SAID_NOT_DONE = "clock.said_not_done"  # said, seconds: the assistant said it transfers; nothing was started
    CLOCK_DEAD_AIR = "clock.dead_air"  # seconds, since: neither side makes a sound, and the assistant does not answer
    CLOCK_HUMAN_DEADLINE = "clock.human_deadline"  # transfer
    CLOCK_FORGOTTEN = "clock.forgotten"  # what: transcript | frames; days: how long it was kept
