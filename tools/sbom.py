"""`python -m tools.sbom [FILE]`: what the program is made of, as CycloneDX JSON: names, versions, hashes of the lock.

Where a package might be fetched from is nobody's business but the installer's, so no address of a registry is in it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "base.txt"


def bill(lock: Path = LOCK) -> dict[str, Any]:
    """The bill of materials; the same lock gives the same bill."""
    line = [sys.executable, "-m", "cyclonedx_py", "requirements", str(lock), "--of", "JSON", "--output-reproducible"]
    line += ["--short-PURLs"]
    line += ["--pyproject", str(ROOT / "pyproject.toml")]
    made = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    found: dict[str, Any] = json.loads(made)
    for component in found["components"]:
        hashes = [each for link in component.pop("externalReferences", []) for each in link.get("hashes", [])]
        component.pop("description", None)
        if hashes:
            component["hashes"] = hashes
    for kind in found["metadata"].get("tools", {}).values():
        for tool in kind:
            tool.pop("externalReferences", None)
    return found


def main() -> None:
    """On standard output, or in the file that is named."""
    text = json.dumps(bill(), indent=2) + "\n"
    if len(sys.argv) > 1:
        target = Path(sys.argv[1])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        print(f"{len(json.loads(text)['components'])} packages are listed in {target}.")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
