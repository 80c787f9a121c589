"""What the assistant says when a client asks and no written line fits."""

from __future__ import annotations

import json
import re
from typing import Any

from callops.simulator.openai.cues import Json

SAY_EXACTLY = re.compile(r"say exactly:\s*(?P<words>.+)", re.IGNORECASE | re.DOTALL)
QUOTES = "\"'\u201c\u201d "

SPARE = {
    "en": "Is there anything else I can do for you?",
    "de": "Kann ich sonst noch etwas für Sie tun?",
    "es": "¿Puedo hacer algo más por usted?",
}
AFTER_TOOL = {
    ("transfer_call", True): {
        "en": "You are being connected, please stay on the line.",
        "de": "Sie werden verbunden, bitte bleiben Sie am Apparat.",
        "es": "Le estamos pasando la llamada, no cuelgue, por favor.",
    },
    ("transfer_call", False): {
        "en": "I'm sorry, I can't reach anybody there right now. Can I help you myself, or take a message?",
        "de": "Es tut mir leid, dort ist gerade niemand zu erreichen. Kann ich selbst helfen oder etwas ausrichten?",
        "es": "Lo siento, ahora mismo no contesta nadie. ¿Puedo ayudarle yo o dejar un recado?",
    },
    ("end_call", True): {"en": "Goodbye.", "de": "Auf Wiederhören.", "es": "Adiós."},
    ("end_call", False): {
        "en": "I'm still here, it seems the line stays open.",
        "de": "Ich bin noch da, die Leitung bleibt offenbar offen.",
        "es": "Sigo aquí, parece que la línea no se corta.",
    },
    ("", True): {
        "en": "Thank you for waiting, I have what I need.",
        "de": "Danke fürs Warten, ich habe alles gefunden.",
        "es": "Gracias por esperar, ya tengo lo que necesito.",
    },
    ("", False): {
        "en": "I'm sorry, I can't look that up at the moment.",
        "de": "Es tut mir leid, das kann ich im Moment nicht nachsehen.",
        "es": "Lo siento, en este momento no puedo consultarlo.",
    },
}
FAILED = frozenset({"failed", "refused", "rejected", "error", "unknown", "not_found", "invalid"})


def exact_words(instructions: object) -> str | None:
    """The words an operator dictates with "say exactly: …", without quotes around them; None without such words."""
    found = SAY_EXACTLY.search(instructions) if isinstance(instructions, str) else None
    return found["words"].strip().strip(QUOTES) if found else None


def succeeded(output: str) -> bool:
    """Whether a tool's output reads as a success."""
    try:
        said: Any = json.loads(output)
    except ValueError:
        return True
    if not isinstance(said, dict):
        return True
    failed = said.get("ok") is False or bool(said.get("error")) or str(said.get("status")).lower() in FAILED
    return not failed


def transfer_told(note: str) -> bool | None:
    """Whether a system message tells of a transfer that goes on (True) or brought nobody; None for anything else."""
    words = note.lower()
    if not any(word in words for word in ("transfer", "connected", "reached")):
        return None
    return not any(word in words for word in ("cancelled", "could be reached", "could not be confirmed", "failed"))


def after_tool(tool: str, ok: bool, language: str) -> str:
    """The line that fits a tool's outcome."""
    known = AFTER_TOOL.get((tool, ok)) or AFTER_TOOL[("", ok)]
    return known[language]


def summary(items: list[Json]) -> str:
    """One or two sentences about the call so far, from what was said."""
    said: dict[str, list[str]] = {"user": [], "assistant": []}
    for item in items:
        for part in item.get("content", []):
            if text := part.get("transcript"):
                said.setdefault(item["role"], []).append(text)
    if not said["user"]:
        return "The caller has not said anything yet."
    first = f"The caller opened with: {said['user'][0]}"
    return f"{first} The assistant last said: {said['assistant'][-1]}" if said["assistant"] else first
