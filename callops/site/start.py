"""What happens before Django: `.env`, the demo's defaults, and a check of the whole environment."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Sequence

from dotenv import load_dotenv

from callops.site import demo_defaults, environment

HOST = "127.0.0.1"
PORT = 8000


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    """The options of `serve`; read here before Django is set up, and again by the command itself."""
    parser.add_argument("--host", default=HOST, help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=PORT, help="port to listen on; 0: any free one (default 8000)")
    parser.add_argument("--demo", action="store_true", help="simulated calls, made-up credentials, a demo sign-in")
    parser.add_argument(
        "--no-engine", action="store_true", help="web pages and webhooks only; an engine runs elsewhere"
    )


def prepare(argv: list[str]) -> None:
    """Complete `os.environ` for the command in `argv`, or raise `EnvironmentProblems`; port 0 becomes a free port.

    A demo does not read `.env`: that file is about real providers, and simulated calls must not go to a public address.
    """
    command = argv[1] if len(argv) > 1 else ""
    options = _serve_options(argv[2:]) if command == "serve" else None
    demo = options is not None and options.demo
    if not demo:
        read_dotenv()
    if options is not None:
        _fill(argv, options)
    environment.read(os.environ, credentials_required=command in {"serve", "engine"} and not demo)


def read_dotenv() -> None:
    """Variables of `.env` in the working directory that are not set already.

    Not by `Env.read_env`: it keeps them to itself, where child processes do not find them, and expands `${…}`.
    """
    load_dotenv(".env", override=False, interpolate=False)


def free_port(host: str = HOST, wanted: int = 0) -> int:
    """`wanted` if nobody listens there, else any free port of the loopback."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free port on {host}")


def _fill(argv: list[str], options: argparse.Namespace) -> None:
    """A free port in the place of 0, and what a demo needs."""
    port = options.port
    if port == 0:
        port = free_port(options.host)
        argv += ["--port", str(port)]
    if options.demo:
        stage_port = free_port(wanted=port + 1)
        filled = demo_defaults.defaults(os.environ, host=options.host, port=port, stage_port=stage_port)
        os.environ.update(filled)


def _serve_options(words: Sequence[str]) -> argparse.Namespace | None:
    """The options of `serve`; None when they are wrong or ask for help, which the command itself then says."""
    if "-h" in words or "--help" in words:
        return None
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_serve_options(parser)
    try:
        return parser.parse_known_args(list(words))[0]
    except argparse.ArgumentError:
        return None


def report(problems: environment.EnvironmentProblems) -> None:
    """Every problem on a line of its own, on standard error."""
    print("The settings cannot be used:", file=sys.stderr)
    for problem in problems.problems:
        print(f"  {problem}", file=sys.stderr)
    print("docs/settings.md lists every setting; .env.example is a start.", file=sys.stderr)
