"""What `serve --demo` fills in for variables that nobody set, so that it works in an empty environment."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from callops.site.environment import DEMO_MARK
from callops.site.secret_key import keep

KEPT = Path("var/demo.json")


def kept_secrets(path: Path = KEPT) -> dict[str, str]:
    """Made-up credentials and the demo user's password; the same at every start."""
    made = {
        "OPENAI_API_KEY": f"sk-demo-{secrets.token_hex(16)}",
        "OPENAI_PROJECT_ID": "proj_demo0000000000000",
        "OPENAI_WEBHOOK_SECRET": f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}",
        "TWILIO_ACCOUNT_SID": f"AC{secrets.token_hex(16)}",
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "password": f"{secrets.choice(WORDS)}-{secrets.choice(WORDS)}-{secrets.randbelow(9000) + 1000}",
    }
    keep(path, json.dumps(made, indent=1))
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return made | kept


def defaults(environ: Mapping[str, str], *, host: str, port: int, stage_port: int) -> dict[str, str]:
    """Variables for a demo that `environ` does not have: one machine, SQLite, and the stage as both providers."""
    reachable = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not bound
    stage = f"http://127.0.0.1:{stage_port}"
    filled = {
        "DATABASE_URL": "sqlite:///var/demo.sqlite3",
        "PUBLIC_URL": f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}",
        "OPENAI_BASE_URL": f"{stage}/v1",
        "TWILIO_BASE_URL": stage,
        DEMO_MARK: "1",
        **{name: value for name, value in kept_secrets().items() if name.isupper()},
    }
    return {
        name: value
        for name, value in filled.items()
        if not environ.get(name, "").strip() and not environ.get(f"{name}_FILE", "").strip()
    }


WORDS = (
    "amber",
    "birch",
    "cedar",
    "clover",
    "fjord",
    "heron",
    "lantern",
    "maple",
    "meadow",
    "otter",
    "river",
    "willow",
)
