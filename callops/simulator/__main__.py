"""`python -m callops.simulator --port 8001 --app http://127.0.0.1:8000 [--demo]`: the stage as a program."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from random import Random

from callops.simulator.demo import keep_calls_coming
from callops.simulator.stage import Stage, StageConfig

SECRETS = {
    "OPENAI_API_KEY": "openai_api_key",
    "OPENAI_PROJECT_ID": "openai_project_id",
    "OPENAI_WEBHOOK_SECRET": "openai_webhook_secret",
    "TWILIO_ACCOUNT_SID": "twilio_account_sid",
    "TWILIO_AUTH_TOKEN": "twilio_auth_token",
}
OPTIONAL = {"TWILIO_API_KEY_SID": "twilio_api_key_sid", "TWILIO_API_KEY_SECRET": "twilio_api_key_secret"}


class SecretsMissing(Exception):
    """Variables without which nothing can be signed; the message names all of them."""


def read_config(app_url: str, environ: Mapping[str, str]) -> StageConfig:
    """The stage's settings; the first of several values counts. Raises `SecretsMissing`, naming all that lack."""
    found = {name: environ.get(name, "").split() for name in SECRETS | OPTIONAL}
    missing = [name for name in SECRETS if not found[name]]
    if missing:
        raise SecretsMissing(f"not set: {', '.join(missing)}")
    values = {field: found[name][0] for name, field in (SECRETS | OPTIONAL).items() if found[name]}
    return StageConfig(app_url=app_url, **values)


async def serve(config: StageConfig, *, port: int, demo: bool) -> None:
    """Run the stage until SIGTERM or SIGINT; says on one line where it is."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    stage = Stage(config)
    async with stage.running(port) as url:
        print(
            f"The stage is ready on {url}: OpenAI at {url}/v1, Twilio at {url}, calls go to {config.app_url}",
            flush=True,
        )
        caller = asyncio.create_task(keep_calls_coming(stage, Random())) if demo else None
        await told.wait()
        if caller is not None:
            caller.cancel()
            await asyncio.gather(caller, return_exceptions=True)


def main() -> int:
    """Read the command line and run; 1 when a secret is missing or the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m callops.simulator", description="A loopback OpenAI and Twilio.")
    parser.add_argument("--port", type=int, default=8001, help="port on 127.0.0.1 (0: any free one)")
    parser.add_argument("--app", default="http://127.0.0.1:8000", help="the app's public address")
    parser.add_argument("--demo", action="store_true", help="let calls arrive by themselves")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        config = read_config(options.app, os.environ)
        asyncio.run(serve(config, port=options.port, demo=options.demo))
    except SecretsMissing as error:
        print(f"The stage cannot begin: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The stage cannot listen on port {options.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
