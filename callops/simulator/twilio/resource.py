"""Calls, trunks and lists as REST shows them (contract Twilio 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from callops.simulator.twilio.calls import Call, http_date
from callops.simulator.twilio.config import TwilioConfig

NUMBER_SID = "PN5e0c9b7d3f214a68b1d7c2e96a40f83b"
SUBRESOURCES = (
    "notifications",
    "recordings",
    "payments",
    "events",
    "siprec",
    "streams",
    "transcriptions",
    "user_defined_message_subscriptions",
    "user_defined_messages",
)


def call_resource(call: Call) -> dict[str, Any]:
    """One call, every property Twilio writes; `duration`, `end_time` and `price` are null while it is live."""
    path = f"/2010-04-01/Accounts/{call.account_sid}/Calls/{call.sid}"
    return {
        "sid": call.sid,
        "date_created": http_date(call.created_at),
        "date_updated": http_date(call.updated_at),
        "parent_call_sid": call.parent.sid if call.parent else None,
        "account_sid": call.account_sid,
        "to": call.to,
        "to_formatted": _formatted(call.to),
        "from": call.from_,
        "from_formatted": _formatted(call.from_),
        "phone_number_sid": None if call.parent else NUMBER_SID,
        "status": call.status,
        "start_time": http_date(call.created_at),
        "end_time": http_date(call.ended_at) if call.ended_at else None,
        "duration": str(call.duration_s) if call.ended else None,
        "price": None,
        "price_unit": "USD",
        "direction": call.direction,
        "answered_by": None,
        "api_version": "2010-04-01",
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": "0",
        "stir_verstat": None,
        "trunk_sid": call.trunk_sid,
        "uri": f"{path}.json",
        "subresource_uris": {name: f"{path}/{_camel(name)}.json" for name in SUBRESOURCES},
    }


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _formatted(party: str) -> str:
    if party.startswith("+1") and len(party) == 12 and party[1:].isdecimal():
        return f"({party[2:5]}) {party[5:8]}-{party[8:]}"
    return party


def matches(call: Call, query: Mapping[str, str]) -> bool:
    """Whether a call passes the filters of `GET Calls.json`."""
    parent_sid = call.parent.sid if call.parent else None
    exact = {"To": call.to, "From": call.from_, "ParentCallSid": parent_sid, "Status": call.status}
    if any(name in query and query[name] != value for name, value in exact.items()):
        return False
    return _in_time(query, "StartTime", call.created_at) and _in_time(query, "EndTime", call.ended_at)


def _in_time(query: Mapping[str, str], name: str, moment: datetime | None) -> bool:
    wanted = {sign: query[name + sign] for sign in ("", "<", ">") if name + sign in query}
    if not wanted:
        return True
    if moment is None:
        return False
    bounds = {sign: moment_of(text) for sign, text in wanted.items()}
    return (
        ("" not in bounds or moment.date() == bounds[""].date())
        and ("<" not in bounds or moment <= bounds["<"])
        and (">" not in bounds or moment >= bounds[">"])
    )


def moment_of(text: str) -> datetime:
    """A bound of a filter; `ValueError` when it is no date."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def page(name: str, items: list[dict[str, Any]], path: str, query: Mapping[str, str]) -> dict[str, Any]:
    """One page of a 2010 list; beside the paging keys it has exactly one key, as the library needs it."""
    size = min(max(int(query.get("PageSize", "50")), 1), 1000)
    number = max(int(query.get("Page", "0")), 0)
    start = number * size
    shown = items[start : start + size]
    filters = {key: value for key, value in query.items() if key not in ("PageSize", "Page", "PageToken")}

    def uri(page_number: int) -> str:
        token = {"PageToken": f"PA{shown[-1]['sid']}"} if page_number > number and shown else {}
        paging = {"PageSize": str(size), "Page": str(page_number)} | token
        return f"{path}?{urlencode(filters | paging, quote_via=quote)}"

    return {
        name: shown,
        "end": start + len(shown) - 1 if shown else 0,
        "first_page_uri": uri(0),
        "next_page_uri": uri(number + 1) if start + size < len(items) else None,
        "page": number,
        "page_size": size,
        "previous_page_uri": uri(number - 1) if number else None,
        "start": start,
        "uri": uri(number),
    }


def trunk_resource(config: TwilioConfig, transfer_mode: str) -> dict[str, Any]:
    """The trunk; `transfer_mode` tells whether REFER can work."""
    url = f"https://trunking.twilio.com/v1/Trunks/{config.trunk_sid}"
    return {
        "sid": config.trunk_sid,
        "account_sid": config.account_sid,
        "domain_name": "stage-calls.pstn.twilio.com",
        "disaster_recovery_method": "POST",
        "disaster_recovery_url": config.disaster_recovery_url,
        "friendly_name": "stage-openai",
        "secure": True,
        "cnam_lookup_enabled": False,
        "symmetric_rtp_enabled": False,
        "recording": {"mode": "do-not-record", "trim": "do-not-trim"},
        "transfer_mode": transfer_mode,
        "transfer_caller_id": "from-transferee",
        "auth_type": "",
        "auth_type_set": [],
        "date_created": "2026-10-01T09:00:00Z",
        "date_updated": "2026-10-01T09:00:00Z",
        "url": url,
        "links": {
            name: f"{url}/{_camel(name)}"
            for name in ("origination_urls", "credential_lists", "ip_access_control_lists", "phone_numbers")
        },
    }
