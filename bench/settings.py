"""Django's settings for a benchmark: made-up credentials and loopback providers, whatever `.env` says.

`bench.__main__` sets `CALLOPS_BENCH_DATABASE` and `CALLOPS_BENCH_STREET` before Django is set up; `bench.fleet` also
`CALLOPS_BENCH_REDIS`, and then the database is an address.
"""

from __future__ import annotations

import os

from callops.site import environment

DATABASE, STREET = os.environ["CALLOPS_BENCH_DATABASE"], os.environ["CALLOPS_BENCH_STREET"]
REDIS = os.environ.get("CALLOPS_BENCH_REDIS", "")

_MADE_UP = {
    "SECRET_KEY": "only-for-benchmarks-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789",
    "DATABASE_URL": DATABASE if "://" in DATABASE else f"sqlite:///{DATABASE}",
    "REDIS_URL": REDIS,
    "ALLOWED_HOSTS": "127.0.0.1",
    "OPENAI_API_KEY": "sk-bench-0000",
    "OPENAI_PROJECT_ID": "proj_Bench000000000000000",
    "OPENAI_WEBHOOK_SECRET": "whsec_bWFkZS11cC1mb3ItYmVuY2htYXJrcw==",
    "OPENAI_BASE_URL": f"{STREET}/v1",
    "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
    "TWILIO_AUTH_TOKEN": "made-up-for-benchmarks",
    "TWILIO_BASE_URL": STREET,
}
_KNOWN = {*environment.DEFAULTS, *environment.CREDENTIALS, *environment.SECRETS, environment.DEMO_MARK, *_MADE_UP}
_KNOWN |= {"TWILIO_API_KEY_SID"}

for _name in _KNOWN:
    os.environ.pop(f"{_name}_FILE", None)
    os.environ[_name] = _MADE_UP.get(_name, "")  # an empty value is unset, and `.env` does not fill it in

from callops.site.settings import *  # noqa: E402, F403 - the environment comes first

ROOT_URLCONF = "bench.urls"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
