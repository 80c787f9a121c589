"""Errors and warnings of the account: the Debugger's list, and its webhook (contract Twilio 5 and 8)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from callops.simulator.twilio.calls import Call, new_sid
from callops.simulator.twilio.record import Record

KEPT_ALERTS = 2_000


@dataclass(frozen=True, slots=True)
class Alert:
    """One line of the Debugger."""

    code: int
    text: str
    level: str
    call: Call
    url: str
    sid: str = field(default_factory=lambda: new_sid("NO"))
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def more_info(self) -> str:
        """Where Twilio explains the code."""
        return f"https://www.twilio.com/docs/errors/{self.code}"

    def as_alert(self) -> dict[str, Any]:
        """The shape of `monitor.twilio.com/v1/Alerts`."""
        moment = self.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        said = {"Msg": self.text, "ErrorCode": str(self.code), "LogLevel": self.level.upper()}
        return {
            "sid": self.sid,
            "account_sid": self.call.account_sid,
            "alert_text": urlencode(said),
            "api_version": "2010-04-01",
            "date_created": moment,
            "date_generated": moment,
            "date_updated": moment,
            "error_code": str(self.code),
            "log_level": self.level,
            "more_info": self.more_info,
            "request_method": "POST",
            "request_url": self.url,
            "resource_sid": self.call.sid,
            "service_sid": None,
            "url": f"https://monitor.twilio.com/v1/Alerts/{self.sid}",
        }

    def as_notification(self) -> dict[str, Any]:
        """The shape of `Calls/{sid}/Notifications.json`."""
        moment = self.at.strftime("%a, %d %b %Y %H:%M:%S +0000")
        account = f"/2010-04-01/Accounts/{self.call.account_sid}"
        return {
            "sid": self.sid,
            "account_sid": self.call.account_sid,
            "api_version": "2010-04-01",
            "call_sid": self.call.sid,
            "date_created": moment,
            "date_updated": moment,
            "error_code": str(self.code),
            "log": "0" if self.level == "error" else "1",
            "message_date": moment,
            "message_text": self.text,
            "more_info": self.more_info,
            "request_method": "POST",
            "request_url": self.url,
            "uri": f"{account}/Calls/{self.call.sid}/Notifications/{self.sid}.json",
        }

    def as_debugger_request(self) -> dict[str, str]:
        """The form of the Debugger webhook."""
        request: Mapping[str, Any] = {
            "url": self.url or None,
            "method": "POST",
            "headers": {},
            "parameters": {"CallSid": self.call.sid},
        }
        more = {"Msg": self.text, "ErrorCode": str(self.code), "LogLevel": self.level.upper()}
        payload = {
            "resource_sid": self.call.sid,
            "service_sid": None,
            "error_code": str(self.code),
            "more_info": more,
            "webhook": {
                "type": "application/json",
                "request": request,
                "response": {"status_code": None, "headers": {}, "body": None},
            },
        }
        return {
            "Sid": self.sid,
            "AccountSid": self.call.account_sid,
            "Timestamp": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "Level": self.level.upper(),
            "PayloadType": "application/json",
            "Payload": json.dumps(payload),
        }


class Alerts:
    """The latest alerts, oldest first."""

    def __init__(self, record: Record, publish: Callable[[Alert], None]) -> None:
        self.all: list[Alert] = []
        self._record = record
        self._publish = publish

    def sound(self, call: Call, code: int, text: str, *, level: str = "error", url: str = "") -> None:
        """Write an alert about a call and tell the Debugger webhook."""
        alert = Alert(code, text, level, call, url)
        self.all.append(alert)
        del self.all[:-KEPT_ALERTS]
        self._record.add("alert", call_sid=call.sid, code=code, text=text, level=level, url=url)
        self._publish(alert)
