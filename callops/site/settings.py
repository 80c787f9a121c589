"""Django's settings, made from the environment (interface.md section 2 lists its variables)."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from callops.accounts import switching
from callops.core.doors import DOORS
from callops.site import environment, start

start.read_dotenv()
CALLOPS = environment.read(os.environ)

BASE_DIR = Path(__file__).resolve().parent.parent.parent
SECRET_KEY = CALLOPS.secret_key
DEBUG = CALLOPS.debug
ALLOWED_HOSTS = list(CALLOPS.allowed_hosts)
ROOT_URLCONF = "callops.site.urls"
ASGI_APPLICATION = "callops.site.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

INSTALLED_APPS = [
    "channels",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
    "callops.core",
    "callops.calls",
    "callops.sideband",
    "callops.transfers",
    "callops.supervision",
    "callops.canary",
    "callops.people",
    "callops.audit",
    "callops.custody",
    "callops.reports",
    "callops.alerts",
    "callops.finding",
    "callops.engine",
    "callops.webhooks",
    "callops.dashboard",
    "callops.api",
    "callops.site",
]

MIDDLEWARE = [
    "callops.core.plain_path.PlainPath",
    "callops.core.proxies.ClientAddress",
    "callops.core.headers.SecurityHeaders",
    "callops.site.limits.Sizes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "callops.site.limits.HowOften",
    "callops.people.sessions.Idle",
    "callops.people.middleware.Veil",
    "callops.audit.middleware.Audit",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "callops.dashboard.owed.call_backs",
            ],
        },
    },
]

# Each process that runs tests has a file of its own, so that server threads see it and runs do not meet.
_TEST_DATABASE = str(Path(tempfile.gettempdir()) / f"callops-test-{os.getpid()}.sqlite3")
DATABASES: dict[str, dict[str, Any]] = {
    "default": CALLOPS.database | ({"TEST": {"NAME": _TEST_DATABASE}} if CALLOPS.is_sqlite else {})
}

CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": CALLOPS.redis_url, "socket_connect_timeout": 2, "health_check_interval": 15}]},
    }
    if CALLOPS.redis_url
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
}

# Static files go out of the folders they are written in, so a fresh clone serves without `collectstatic`.
STATIC_URL = "/static/"
STATICFILES_DIRS = [folder for folder in [BASE_DIR / "static"] if folder.is_dir()]
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Pages end in a slash and may be asked for without one. The carrier's and OpenAI's addresses have none, match as
# they are and so are never redirected (a redirected POST would lose its body and its signature).
APPEND_SLASH = True
DATA_UPLOAD_MAX_MEMORY_SIZE = max(door.body for door in DOORS)  # each door has its own limit (site.limits)

PUBLIC_IS_HTTPS = urlsplit(CALLOPS.public_url).scheme == "https"
_PUBLIC = urlsplit(CALLOPS.public_url)
CSRF_TRUSTED_ORIGINS = [f"{_PUBLIC.scheme}://{_PUBLIC.netloc}"]
CSRF_COOKIE_SECURE = PUBLIC_IS_HTTPS
CSRF_COOKIE_HTTPONLY = False  # htmx and the API's browser clients read it for their header
SESSION_COOKIE_AGE = CALLOPS.sign_out_after_minutes * 60
SESSION_COOKIE_SECURE = PUBLIC_IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PUBLIC_IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # includeSubDomains: other names under the operator's domain are not ours to decide about
    "security.W008",  # SECURE_SSL_REDIRECT: TLS ends at the proxy, and a webhook must never be redirected
    "security.W021",  # preload: the operator's domain is not ours to put on a list
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "callops.core.logs.LineFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "callops": {"level": "INFO"},
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # strangers who try names; they get 400
    },
}

if CALLOPS.accounts:
    INSTALLED_APPS += switching.APPS
    MIDDLEWARE = switching.middleware(MIDDLEWARE)
    globals().update(switching.settings_of(CALLOPS))
