"""What `doctor` looks at: each check gives findings, and a bad one says how to mend it."""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from callops.calls.models import Destination, Line
from callops.core import beats
from callops.core.clock import now
from callops.core.config import Config
from callops.core.readiness import layer_answers, unapplied_migrations
from callops.core.timekeeping import database_time
from callops.sideband.models import AiSession
from callops.site.environment import CREDENTIALS
from callops.site.shapes import WANTED

CONNECT_S = 5.0
CLOCK_MAY_DIFFER_S = 30.0
SECRET_KEY_CHARS = 50
FREE_GB = 1.0
"""A call-minute takes about 45 kB (docs/performance.md): this is room for 370 hours of calls."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `ok` is None for what is only worth knowing."""

    name: str
    ok: bool | None
    text: str
    mend: str = ""


def findings(config: Config) -> Iterator[Finding]:
    """Everything that can be seen from here, cheapest first."""
    yield Finding("settings", True, "every variable has the right shape")
    yield from secrets(config)
    yield public_address(config)
    yield proxies(config)
    yield from database(config)
    yield channel_layer(config)
    yield from provider("OpenAI", config.openai_base_url, "OPENAI_BASE_URL")
    yield from provider("Twilio", config.twilio_base_url, "TWILIO_BASE_URL")


def secrets(config: Config) -> Iterator[Finding]:
    """The credentials are there, and the secret key is long enough."""
    given = dict(
        zip(
            CREDENTIALS,
            (
                config.openai_api_key,
                config.openai_project_id,
                config.openai_webhook_secrets,
                config.twilio_account_sid,
                config.twilio_auth_tokens,
            ),
            strict=True,
        )
    )
    for name, value in given.items():
        if value:
            yield Finding(name, True, "is set")
        else:
            yield Finding(name, False, "is not set", f"set it to {WANTED[name]}")
    long_enough = len(config.secret_key) >= SECRET_KEY_CHARS
    text = "is long enough" if long_enough else f"is shorter than {SECRET_KEY_CHARS} characters"
    if len(config.privacy_keys) == 1:
        hint = "set it, so that SECRET_KEY can be changed without closing old recordings of what was said"
        yield Finding("PRIVACY_KEY", None, "is not set; what was said is sealed with a key made of SECRET_KEY", hint)
    yield Finding("SECRET_KEY", long_enough, text, "set it to a longer random text (this signs everybody out)")


def public_address(config: Config) -> Finding:
    """Twilio and OpenAI must be able to reach us, over https."""
    parts = urlsplit(config.public_url)
    mend = "set PUBLIC_URL to the https address under which Twilio and OpenAI reach this server"
    if config.demo or _is_loopback(urlsplit(config.twilio_base_url).hostname or ""):
        return Finding("PUBLIC_URL", None, f"{config.public_url}, good enough for simulated providers")
    if _is_loopback(parts.hostname or ""):
        return Finding("PUBLIC_URL", False, f"{config.public_url} cannot be reached from outside", mend)
    if parts.scheme != "https":
        return Finding("PUBLIC_URL", False, f"{config.public_url} is not https", mend)
    return Finding("PUBLIC_URL", True, config.public_url)


def proxies(config: Config) -> Finding:
    """Behind TLS there is a proxy, and each browser should count by its own address."""
    if config.trusted_proxies:
        return Finding("TRUSTED_PROXIES", True, ", ".join(config.trusted_proxies))
    if urlsplit(config.public_url).scheme != "https":
        return Finding("TRUSTED_PROXIES", None, "is not set; right without a proxy")
    text = "is not set; five wrong passwords of one person keep everybody behind the proxy out"
    return Finding("TRUSTED_PROXIES", None, text, "set it to the address of the proxy that ends TLS")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def database(config: Config) -> Iterator[Finding]:
    """It answers, has our tables, and agrees with us about the time."""
    try:
        missing = unapplied_migrations()
    except DatabaseError:
        yield Finding("database", False, "cannot be reached", "check DATABASE_URL and that the server runs")
        return
    yield Finding("database", True, "SQLite" if config.is_sqlite else "PostgreSQL")
    if missing:
        yield Finding("migrations", False, f"missing: {', '.join(missing)}", "run `python manage.py migrate`")
        return
    yield Finding("migrations", True, "all applied")
    if config.is_sqlite:
        yield room(Path(config.database["NAME"]).parent)
    else:
        yield clock("the database", database_time())
        yield trigrams()
    yield directory()
    yield people()
    yield workers()
    yield engines(beats.loads(_time(config)), joined=bool(config.redis_url))
    yield from signs_of_life(config)


def _time(config: Config) -> datetime:
    """The time by which leases and signs of life are counted."""
    return now() if config.is_sqlite else database_time()


def room(folder: Path) -> Finding:
    """A full disk is the one thing SQLite cannot wait out for long."""
    free_gb = shutil.disk_usage(folder).free / 1e9
    mend = "make room on the disk that holds the database, or let `manage.py retain` delete what is old"
    return Finding("disk", free_gb >= FREE_GB, f"{free_gb:.1f} GB free for the database", mend)


def trigrams() -> Finding:
    """Whether parts of numbers are found by an index."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('call_from_number_part') IS NOT NULL")
        ((has,),) = cursor.fetchall()
    if has:
        return Finding("search", True, "parts of numbers go by an index")
    hint = "CREATE EXTENSION pg_trgm, then `manage.py migrate calls 0002` and `manage.py migrate`"
    return Finding(
        "search", None, "PostgreSQL has no pg_trgm; with many calls a part of a number is found slowly", hint
    )


def directory() -> Finding:
    """Without a line every caller is told that the number is unknown."""
    lines, destinations = Line.objects.count(), Destination.objects.count()
    mend = "describe your lines in a file like docs/directory.example.toml and run `manage.py load_directory FILE`"
    return Finding("directory", lines > 0 or None, f"{lines} lines, {destinations} destinations", mend)


def people() -> Finding:
    """Somebody can sign in."""
    number = get_user_model().objects.filter(is_active=True).count()
    return Finding("people", number > 0 or None, f"{number} can sign in", "run `manage.py createsuperuser`")


def engines(loads: Mapping[str, Mapping[str, Any]], *, joined: bool) -> Finding:
    """Who works, how much room there is, and whether several are joined by Redis."""
    mend = "start `manage.py engine`, or `manage.py serve` without --no-engine"
    if not loads:
        waits = AiSession.objects.filter(accepted_at__isnull=False, closed_at__isnull=True).exists()
        return Finding("engines", False if waits else None, "none looks around", mend)
    if len(loads) > 1 and not joined:
        text = f"{len(loads)} look around, and nothing carries notifications from one to the other"
        return Finding("engines", False, text, "set REDIS_URL, the same in every process")
    held = sum(int(says.get("calls", 0)) for says in loads.values())
    capacity = sum(int(says.get("capacity", 0)) for says in loads.values())
    mend = "start another engine"
    return Finding("engines", held < capacity, f"{len(loads)} look around, {held} calls, room for {capacity}", mend)


def signs_of_life(config: Config) -> Iterator[Finding]:
    """When each provider last reached us; never: it may not know our address yet."""
    for name, beat, path, where in (
        (
            "Twilio's requests",
            beats.TWILIO_REQUEST,
            "/twiml/inbound",
            "as the number's Voice URL in the Twilio console",
        ),
        ("OpenAI's webhooks", beats.OPENAI_WEBHOOK, "/webhooks/openai", "as a webhook in the OpenAI console"),
    ):
        at = beats.last(beat)
        text = f"the last came at {at:%Y-%m-%d %H:%M} UTC" if at else "none came yet"
        yield Finding(name, True if at else None, text, f"enter {config.public_url}{path} {where}")


def clock(whose: str, theirs: datetime) -> Finding:
    """Signatures and deadlines need a right clock; half a minute is forgiven."""
    differs_s = abs((now() - theirs).total_seconds())
    text = f"{differs_s:.0f} s from {whose}"
    return Finding("clock", differs_s <= CLOCK_MAY_DIFFER_S, text, "let NTP set this machine's clock")


def workers() -> Finding:
    """How many processes hold calls now; none is no fault, there may be no calls. Leases run by the database's time."""
    held = AiSession.objects.filter(closed_at__isnull=True, lease_until__gt=Now())
    owners = held.exclude(lease_owner="").values("lease_owner").distinct().count()
    return Finding("workers", None, f"{owners} hold {held.count()} live calls" if owners else "none holds a call now")


def channel_layer(config: Config) -> Finding:
    """Redis answers, if there is one."""
    if not config.redis_url:
        return Finding("channel layer", None, "in memory: right for one process (REDIS_URL joins several)")
    if layer_answers():
        return Finding("channel layer", True, "Redis answers")
    return Finding("channel layer", False, "Redis cannot be reached", "check REDIS_URL and that the server runs")


def provider(name: str, base_url: str, variable: str) -> Iterator[Finding]:
    """The provider's host answers HTTP; nothing is sent that belongs to the account. Its clock is compared too."""
    parts = urlsplit(base_url)
    try:
        answer = httpx.head(f"{parts.scheme}://{parts.netloc}/", timeout=CONNECT_S)
    except httpx.HTTPError as wrong:
        text = f"{parts.netloc} cannot be reached ({type(wrong).__name__})"
        yield Finding(name, False, text, f"check {variable}, the firewall and the name service")
        return
    yield Finding(name, True, f"{parts.netloc} answers")
    if date := answer.headers.get("date"):
        yield clock(name, parsedate_to_datetime(date))
