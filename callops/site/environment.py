"""The environment, checked as a whole: either a `Config`, or every problem at once, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from environs import Env, EnvValidationError

from callops.core.config import Config
from callops.site import account_shapes, shapes
from callops.site.secret_key import kept_secret_key

SECRETS = (
    "SECRET_KEY",
    "PRIVACY_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "OPENAI_API_KEY",
    "OPENAI_WEBHOOK_SECRET",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_API_KEY_SECRET",
    "OIDC_CLIENT_SECRET",
)
"""These may be given as a file, in `X_FILE`; their values never appear in a problem."""

CREDENTIALS = (
    "OPENAI_API_KEY",
    "OPENAI_PROJECT_ID",
    "OPENAI_WEBHOOK_SECRET",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
)
"""Without these no call can be carried."""

DEFAULTS = {
    "DEBUG": "0",
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "DATABASE_URL": "sqlite:///var/callops.sqlite3",
    "OPENAI_BASE_URL": "https://api.openai.com/v1",
    "OPENAI_SIP_HOST": "sip.api.openai.com;transport=tls;secure=true",
    "TWILIO_BASE_URL": "https://api.twilio.com",
    "REFER_DEADLINE_S": "4.0",
    "WEBHOOK_DEADLINE_S": "6.0",
    "GHOST_AFTER_S": "30.0",
    "ENGINE_CAPACITY": "250",
    "TRANSFERS_AN_HOUR": "1000",
    "TYPED_ALONE_AN_HOUR": "10",
    "SIGN_OUT_AFTER_MINUTES": "720",
    "KEEP_TRANSCRIPTS_DAYS": "0",
    "KEEP_FRAMES_DAYS": "0",
    "KEEP_AUDIT_DAYS": "0",
    "OIDC_NAME": "single sign-on",
    "OIDC_GROUPS_CLAIM": "groups",
}

DEMO_MARK = "CALLOPS_DEMO"
"""Set by `serve --demo` itself, for its own settings and its children; not a variable for people."""


class EnvironmentProblems(Exception):
    """The environment cannot be used; `problems` holds one sentence for each variable, without secret values."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Given(Env):
    """`environs` over what is given here instead of over this process's environment; `seal` names all that is wrong."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._given = given
        for shape in shapes.PARSERS + account_shapes.PARSERS:
            self.add_parser(shape.__name__, shape)

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._given.get(env_key, default)


def read(environ: Mapping[str, str], *, credentials_required: bool = False) -> Config:
    """The settings in `environ`; raises `EnvironmentProblems` with all that is wrong.

    With SQLite the database's folder exists afterwards, and a secret key is kept in it when none was given.
    """
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    secrets, problems = _from_files(given)
    env = _Given(DEFAULTS | given | secrets)
    config = _config(env)
    try:
        env.seal()
    except EnvValidationError as wrong:
        found = cast("Mapping[str, list[str]]", wrong.error_messages)
        problems += [f"{name} {sentence}" for name, sentences in found.items() for sentence in sentences]
    problems += _missing(config, given, credentials_required=credentials_required)
    if problems:
        raise EnvironmentProblems(problems)
    return _with_last_key(_with_folder_and_key(config))


def _from_files(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The secrets that are in files, and what is wrong with the files."""
    secrets: dict[str, str] = {}
    problems: list[str] = []
    for name in (name for name in SECRETS if f"{name}_FILE" in given):
        if name in given:
            problems.append(f"{name} and {name}_FILE are both set: keep one of them.")
            continue
        try:
            secrets[name] = Path(given[f"{name}_FILE"]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            problems.append(f"{name}_FILE should be the path of a text file that can be read.")
            continue
        if not secrets[name]:
            problems.append(f"{name}_FILE is the path of an empty file; the secret should be in it.")
    return {name: text for name, text in secrets.items() if text}, problems


def _missing(config: Config, given: Mapping[str, str], *, credentials_required: bool) -> list[str]:
    """A sentence for each variable that is needed and not set."""
    wanted = list(CREDENTIALS) if credentials_required else []
    if config.database and not config.is_sqlite:
        wanted.append("SECRET_KEY")
    if bool(config.twilio_api_key_sid) != bool(config.twilio_api_key_secret):
        wanted += ["TWILIO_API_KEY_SID", "TWILIO_API_KEY_SECRET"]
    wanted += account_shapes.together(given)
    unset = [name for name in wanted if name not in given and f"{name}_FILE" not in given]
    return [f"{name} is not set; it should be {shapes.WANTED[name]}." for name in unset]


def _config(env: _Given) -> Config:
    """Every variable read once; what is wrong is None here and known to `env`."""
    public_url = env.web_address("PUBLIC_URL")
    twilio_base_url = env.web_address("TWILIO_BASE_URL")
    database = env.database("DATABASE_URL") or {}
    return Config(
        secret_key=env.str("SECRET_KEY", ""),
        privacy_keys=env.privacy_keys("PRIVACY_KEY", ""),
        debug=env.yes_or_no("DEBUG"),
        allowed_hosts=env.hosts("ALLOWED_HOSTS", "") or shapes.own_hosts(public_url or ""),
        trusted_proxies=env.networks("TRUSTED_PROXIES", ""),
        public_url=public_url,
        database=database,
        is_sqlite=database.get("ENGINE", "").endswith("sqlite3"),
        redis_url=env.str("REDIS_URL", "", validate=shapes.redis_address),
        openai_api_key=env.str("OPENAI_API_KEY", "", validate=shapes.api_key),
        openai_project_id=env.str("OPENAI_PROJECT_ID", "", validate=shapes.project_id),
        openai_webhook_secrets=env.webhook_secrets("OPENAI_WEBHOOK_SECRET", ""),
        openai_base_url=env.web_address("OPENAI_BASE_URL"),
        openai_sip_host=env.str("OPENAI_SIP_HOST", validate=shapes.sip_host),
        twilio_account_sid=env.str("TWILIO_ACCOUNT_SID", "", validate=shapes.account_sid(twilio_base_url or "")),
        twilio_auth_tokens=env.auth_tokens("TWILIO_AUTH_TOKEN", ""),
        twilio_api_key_sid=env.str("TWILIO_API_KEY_SID", "", validate=shapes.api_key),
        twilio_api_key_secret=env.str("TWILIO_API_KEY_SECRET", "", validate=shapes.api_key),
        twilio_base_url=twilio_base_url,
        refer_deadline_s=env.seconds("REFER_DEADLINE_S"),
        webhook_deadline_s=env.seconds("WEBHOOK_DEADLINE_S"),
        ghost_after_s=env.seconds("GHOST_AFTER_S"),
        engine_capacity=env.whole_number("ENGINE_CAPACITY"),
        typed_countries=env.countries("TYPED_COUNTRIES", ""),
        typed_sip_domains=env.sip_domains("TYPED_SIP_DOMAINS", ""),
        transfers_an_hour=env.whole_number("TRANSFERS_AN_HOUR"),
        typed_alone_an_hour=env.count("TYPED_ALONE_AN_HOUR"),
        sign_out_after_minutes=env.minutes("SIGN_OUT_AFTER_MINUTES"),
        keep_transcripts_days=env.days("KEEP_TRANSCRIPTS_DAYS"),
        keep_frames_days=env.days("KEEP_FRAMES_DAYS"),
        keep_audit_days=env.days("KEEP_AUDIT_DAYS"),
        accounts=env.accounts("ACCOUNTS", ""),
        mfa_required_roles=env.roles("MFA_REQUIRED_ROLES", ""),
        oidc_issuer=env.issuer("OIDC_ISSUER", ""),
        oidc_client_id=env.str("OIDC_CLIENT_ID", ""),
        oidc_client_secret=env.str("OIDC_CLIENT_SECRET", ""),
        oidc_name=env.str("OIDC_NAME"),
        oidc_domains=env.sip_domains("OIDC_DOMAINS", ""),
        oidc_groups_claim=env.str("OIDC_GROUPS_CLAIM"),
        oidc_roles=env.group_roles("OIDC_ROLES", ""),
        demo=env.str(DEMO_MARK, "") == "1",
    )


def _with_last_key(config: Config) -> Config:
    """What was sealed before PRIVACY_KEY was set is still opened."""
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"callops: what was said").derive(
        config.secret_key.encode()
    )
    return replace(config, privacy_keys=(*config.privacy_keys, made))


def _with_folder_and_key(config: Config) -> Config:
    if not config.is_sqlite:
        return config
    folder = Path(config.database["NAME"]).parent
    folder.mkdir(parents=True, exist_ok=True)
    return replace(config, secret_key=config.secret_key or kept_secret_key(folder / "secret_key"))
