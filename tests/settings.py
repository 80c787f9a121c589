"""The settings of the tests: made-up credentials, whatever the developer's own environment and `.env` say."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from callops.site import account_shapes, environment

_KEPT = {"DATABASE_URL", "SECRET_KEY"}
_KNOWN = {*environment.DEFAULTS, *environment.CREDENTIALS, *environment.SECRETS, environment.DEMO_MARK} | {
    "ALLOWED_HOSTS",
    "TWILIO_API_KEY_SID",
    *account_shapes.NEEDS_ACCOUNTS,
    *account_shapes.NEED_ISSUER,
    "ACCOUNTS",
}

MADE_UP = {
    "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789",
    "DATABASE_URL": f"sqlite:///{Path(tempfile.gettempdir()).as_posix()}/callops-tests.sqlite3",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "OPENAI_API_KEY": "sk-test-0000",
    "OPENAI_PROJECT_ID": "proj_Example00000000000000",
    "OPENAI_WEBHOOK_SECRET": "whsec_bG9jYWwtc2ltdWxhdG9yLWtleS1ub3QtYS1zZWNyZXQ=",
    "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
    "TWILIO_AUTH_TOKEN": "fedcba9876543210fedcba9876543210",
}

for _name in _KNOWN - _KEPT:
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)
for _name, _value in MADE_UP.items():
    os.environ.setdefault(_name, _value)
for _name in _KNOWN - set(MADE_UP):
    os.environ[_name] = ""  # an empty value is unset, and `.env` does not fill it in

from callops.site.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
