"""`python -m tools.audit`: no locked package has a known vulnerability, as far as the database of them can be reached.

Never fails for want of a network: then it says that nothing was looked up. What was looked up today is not asked again.
"""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

HOST, PORT = "api.osv.dev", 443
REACH_S = 2.0
LOOK_UP_S = 90.0
ANSWER_S = 5
GOOD_FOR_S = 24 * 3600.0
ROOT = Path(__file__).resolve().parent.parent
LOCKS = tuple(ROOT / "requirements" / f"{name}.txt" for name in ("base", "accounts"))

Run = Callable[[Sequence[str]], str]


def main(run: Run | None = None, *, memory: Path = ROOT / ".venv") -> int:
    """Exit status 1 when there is a known vulnerability; the outcome in a line each."""
    mark = memory / f".audited-{_fingerprint()}"
    if mark.exists() and time.time() - mark.stat().st_mtime < GOOD_FOR_S:
        return 0
    if not reachable():
        print(f"  skipped: {HOST} cannot be reached, so nothing is known about vulnerabilities")
        return 0
    found: list[str] = []
    for lock in LOCKS:
        try:
            found += vulnerabilities((run or pip_audit)(words(lock)))
        except (ValueError, subprocess.TimeoutExpired):
            print(f"  skipped: {HOST} gave no answer about {lock.name}")
            return 0
    for line in dict.fromkeys(found):
        print(f"  {line}")
    if not found:
        mark.touch()
    return 1 if found else 0


def words(lock: Path) -> list[str]:
    """What is asked: nothing is resolved or downloaded, the lock says all."""
    quiet = ["--disable-pip", "--progress-spinner", "off", "--format", "json", "--desc", "off"]
    return ["-m", "pip_audit", "--vulnerability-service", "osv", "--timeout", str(ANSWER_S), *quiet, "-r", str(lock)]


def vulnerabilities(answer: str) -> list[str]:
    """A line for each known one in pip-audit's JSON; raises `ValueError` when it is none."""
    known = json.loads(answer)
    return [
        f"{package['name']} {package['version']}: {flaw['id']}, mended in {' or '.join(flaw['fix_versions']) or 'none'}"
        for package in known["dependencies"]
        for flaw in package.get("vulns", [])
    ]


def pip_audit(line: Sequence[str]) -> str:
    """What it wrote on standard output; raises `subprocess.TimeoutExpired`."""
    done = subprocess.run([sys.executable, *line], capture_output=True, text=True, timeout=LOOK_UP_S, check=False)
    return done.stdout


def reachable() -> bool:
    """Whether the host takes a connection within `REACH_S`, its name included."""
    reached: list[bool] = []

    def reach() -> None:
        try:
            socket.create_connection((HOST, PORT), timeout=REACH_S).close()
        except OSError:
            return
        reached.append(True)

    trying = threading.Thread(target=reach, daemon=True)
    trying.start()
    trying.join(REACH_S)
    return bool(reached)


def _fingerprint() -> str:
    return hashlib.sha256(b"".join(lock.read_bytes() for lock in LOCKS)).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
