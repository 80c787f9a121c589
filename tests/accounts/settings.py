"""The settings of the tests with the extra switched on."""

from __future__ import annotations

import dataclasses

from callops.accounts import switching
from tests.settings import *  # noqa: F403
from tests.settings import CALLOPS as WITHOUT
from tests.settings import INSTALLED_APPS as APPS
from tests.settings import MIDDLEWARE as BEFORE

CALLOPS = dataclasses.replace(
    WITHOUT,
    accounts=True,
    oidc_issuer="http://127.0.0.1:9",
    oidc_client_id="callops",
    oidc_client_secret="only-for-tests",
    oidc_name="Example",
)
INSTALLED_APPS = [*APPS, *switching.APPS]
MIDDLEWARE = switching.middleware(BEFORE)
globals().update(switching.settings_of(CALLOPS))
