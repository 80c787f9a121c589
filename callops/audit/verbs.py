"""What is audited: every act, and every reading of a call, by the name of its address."""

from __future__ import annotations

from typing import Final

ACTS: Final = {
    "dashboard:transfer": "transfer",
    "dashboard:retry": "transfer again",
    "dashboard:cancel": "cancel transfer",
    "dashboard:decide": "decide approval",
    "dashboard:hangup": "hang up",
    "dashboard:intervene": "intervene",
    "dashboard:link": "link halves",
    "dashboard:call_back_done": "call-back done",
    "dashboard:breaker": "force breaker",
    "dashboard:desk_settings": "change desk",
    "dashboard:forget_preset": "change desk",
    "dashboard:reveal": "reveal",
    "dashboard:mark": "mark moment",
    "dashboard:walls": "make wall link",
    "dashboard:revoke_wall": "revoke wall link",
    "dashboard:simulated_call": "simulate call",
    "dashboard:new_incident": "open incident",
    "dashboard:add_found": "add calls to incident",
    "dashboard:add_chosen": "add calls to incident",
    "dashboard:add_call": "add calls to incident",
    "dashboard:incident_act": "work on incident",
    "dashboard:save_view": "keep view",
    "dashboard:forget_view": "forget view",
    "api:ask_transfer": "transfer",
    "api:cancel_transfer": "cancel transfer",
    "api:hang_up_call": "hang up",
    "api:ask_intervention": "intervene",
}
READINGS: Final = {
    "dashboard:call": "open call",
    "dashboard:timeline": "read timeline",
    "dashboard:compare": "compare calls",
    "dashboard:replay": "replay call",
    "dashboard:fact": "read raw fact",
    "dashboard:report": "read report",
    "dashboard:report_file": "take report",
    "dashboard:evidence_zip": "take evidence",
    "dashboard:incident": "read incident",
    "dashboard:post_mortem": "take report",
    "dashboard:figures_csv": "take figures",
    "dashboard:take_csv": "take calls",
    "dashboard:take_json": "take calls",
    "dashboard:audit": "read audit",
    "dashboard:doors": "read doors",
    "dashboard:palette": "look up",
    "api:show_call": "open call",
    "api:list_events": "read timeline",
    "api:take_evidence": "take evidence",
    "api:show_transfer": "read transfer",
}
OFTEN: Final = frozenset(READINGS.values()) - {"take report", "take evidence", "take calls", "take figures"}
"""Readings that are asked for again and again, by pages that come back and by scripts that poll."""
SEARCHES: Final = {"dashboard:history": "search", "api:list_calls": "search"}
"""Readings that count when something was searched for (`q`)."""
KEPT: Final = (
    *("destination", "uri", "policy", "act", "agreed", "force", "why", "other", "q", "numbers", "about"),
    *("days", "by", "name", "query", "incident", "title", "owner", "cause", "call"),
)
"""Fields of a form or an address that are kept; words of a conversation are on the call's timeline."""
FORGET: Final = "forget audit"
BY_COMMAND: Final = "command line"
BY_CLOCK: Final = "the clock"
PERSON: Final = "change person"
HOLD: Final = "hold data"
ERASE: Final = "erase caller"
EXPORT: Final = "export caller"
API_TOKEN: Final = "make API token"  # noqa: S105 - a verb
WATCH: Final = "watch call"
SIGN_IN: Final = "sign in"
SIGN_IN_FAILED: Final = "sign in failed"
SIGN_OUT: Final = "sign out"
ADD_FACTOR: Final = "add second factor"
REMOVE_FACTOR: Final = "remove second factor"
RENEW_CODES: Final = "renew recovery codes"
