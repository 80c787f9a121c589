"""The files of a bundle as text, a piece at a time. JSON keys stand in a fixed order; times are UTC. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from callops.reports.absences import expected
from callops.reports.exchanges import exchanges, provider_moment, webhooks
from callops.reports.plain import cell, visible
from callops.reports.record import CallRecord, Happening, Moving, Said, exact, iso

README = """# Evidence of call {id}

Made by callops at {made_at} from what was stored by then. All times are UTC. `at` is the time by our own clock when we
received, did or noticed something; `provider_at` is the second the provider wrote into its message.

| file | what it holds |
| --- | --- |
| `report-openai.md`, `report-twilio.md` | the case in words, to be pasted into a support request |
| `ladder.svg`, `ladder.txt` | who told whom what, as a picture and as text |
| `timeline.jsonl`, `timeline.csv` | every fact in order, each as it was stored |
| `transcript.txt`, `transcript.jsonl`, `transcript.csv` | what was said, and how much the caller heard of it |
| `transfers.json` | each transfer: what was asked, the evidence with its witness, and the verdict on it |
| `http.jsonl` | our requests to OpenAI and Twilio with their answers, headers kept and headers absent |
| `webhooks.jsonl` | the deliveries we received, with parameters and headers |
| `expected.jsonl` | what should have followed, its deadline, and when it was seen, if it was |
| `session.jsonl` | what came over OpenAI's sideband around the transfer, counted by second and type |
| `fixture.json` | the call without numbers, to be played by the simulator (`manage.py simulate --from-bundle FILE`) |
| `call.json`, `settings.json` | ids, legs, states, and the settings that decide how the call is moved |
| `manifest.json` | the SHA-256 of each file, and of all of them together |

An HTTP 200 means that something was asked. That something was not seen means that nobody had told us of it by the time
this was made; it does not say that it did not happen. Credentials and signatures are left out.

`python manage.py verify_bundle FILE` checks every hash and judges the evidence of each transfer again.
"""


def readme(record: CallRecord) -> Iterator[str]:
    """What is in the bundle."""
    yield README.format(id=record.id, made_at=iso(record.made_at))


def timeline(record: CallRecord) -> Iterator[str]:
    """JSON Lines: every fact in order."""
    return (_line(fact(row)) for row in record.happened)


def fact(row: Happening) -> dict[str, Any]:
    """One row of the timeline as JSON."""
    return {
        "seq": row.seq,
        "at": exact(row.at),
        "provider_at": iso(provider_moment(row)),
        "lane": row.lane,
        "kind": row.kind,
        "body": dict(row.body),
    }


def transcript(record: CallRecord) -> Iterator[str]:
    """The transcript to be read: one line a turn."""
    for turn in record.said:
        yield f"{turn.at:%H:%M:%S}.{turn.at.microsecond // 1000:03} {turn.speaker}: {visible(turn.text)}{_note(turn)}\n"


def transcript_rows(record: CallRecord) -> Iterator[str]:
    """JSON Lines: every turn."""
    for turn in record.said:
        yield _line(
            {
                "at": exact(turn.at),
                "speaker": turn.speaker,
                "text": turn.text,
                "heard_chars": turn.heard_chars,
                "final": turn.final,
                "partial": turn.partial,
            }
        )


def timeline_table(record: CallRecord) -> Iterator[str]:
    """CSV: every fact in order, for a spreadsheet."""
    yield _cells("seq", "at", "provider_at", "lane", "kind", "body")
    for row in record.happened:
        body = json.dumps(dict(row.body), ensure_ascii=False, default=str)
        yield _cells(row.seq, exact(row.at), iso(provider_moment(row)), row.lane, row.kind, body)


def transcript_table(record: CallRecord) -> Iterator[str]:
    """CSV: every turn, for a spreadsheet."""
    yield _cells("at", "speaker", "text", "heard_chars", "partial")
    for turn in record.said:
        yield _cells(exact(turn.at), turn.speaker, turn.text, turn.heard_chars, "yes" if turn.partial else "")


def transfers(record: CallRecord) -> Iterator[str]:
    """Every transfer with its evidence, and the verdict that this evidence gives."""
    yield json.dumps([move_as_json(move) for move in record.moves], indent=2, ensure_ascii=False, default=str) + "\n"


def move_as_json(move: Moving) -> dict[str, Any]:
    """One transfer; `verdict` is judged from this evidence, `recorded` is what the call's page shows."""
    verdict = move.verdict()
    return {
        "id": move.id,
        "destination": {"label": move.label, "uri": move.uri},
        "policy": move.policy,
        "refer_only": move.refer_only,
        "requested_by": move.requested_by,
        "requested_at": exact(move.requested_at),
        "refer_asked_at": iso(move.refer_asked_at),
        "refer_deadline_at": iso(move.refer_deadline_at),
        "refer_seen_at": iso(move.refer_seen_at),
        "state": move.state,
        "recorded": {"mechanism": move.mechanism, "outcome": move.outcome, "because": move.because},
        "verdict": {
            "mechanism": verdict.mechanism.value,
            "outcome": verdict.outcome.value,
            "settled": verdict.settled,
            "connected_at": exact(verdict.connected_at) if verdict.connected_at else None,
        },
        "evidence": [
            {
                "kind": one.kind,
                "witness": one.witness,
                "at": exact(one.at),
                "event_seq": one.seq,
                "detail": dict(one.detail),
            }
            for one in move.evidence
        ],
    }


def http(record: CallRecord) -> Iterator[str]:
    """JSON Lines: our requests with their answers."""
    return (_line(each.as_json()) for each in exchanges(record))


def webhook_rows(record: CallRecord) -> Iterator[str]:
    """JSON Lines: the deliveries to our doors."""
    return (_line(fact(row)) for row in webhooks(record))


def expectations(record: CallRecord) -> Iterator[str]:
    """JSON Lines: what should have followed."""
    for each in expected(record):
        yield _line(
            {
                "what": each.what,
                "since_seq": each.since.seq,
                "deadline": iso(each.deadline),
                "seen_at": iso(each.seen.at) if each.seen else None,
                "seen_seq": each.seen.seq if each.seen else None,
                "not_seen_by": iso(each.looked_until) if each.is_absent else None,
                "sentence": each.sentence,
            }
        )


def pulse(record: CallRecord) -> Iterator[str]:
    """JSON Lines: the window first, then every second in which something came."""
    yield _line({"from": iso(record.pulse_from), "until": iso(record.pulse_until)})
    for beat in record.pulse:
        yield _line({"second": iso(beat.at), "events": dict(beat.counts)})


def call(record: CallRecord) -> Iterator[str]:
    """The call and its legs."""
    shown = {"call": dict(record.call), "legs": [dict(leg) for leg in record.legs], "made_at": iso(record.made_at)}
    yield json.dumps(shown, indent=2, ensure_ascii=False, default=str) + "\n"


def settings(record: CallRecord) -> Iterator[str]:
    """The settings that decide how this call is answered and moved."""
    yield json.dumps(dict(record.settings), indent=2, ensure_ascii=False, default=str) + "\n"


def together(pieces: Iterable[str]) -> str:
    """A whole file."""
    return "".join(pieces)


def _cells(*values: Any) -> str:
    """One row of CSV, of which no cell is a formula."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([cell(value) for value in values])
    return out.getvalue()


def _note(turn: Said) -> str:
    if turn.heard_chars is not None:
        return f" [cut off: the caller heard {turn.heard_chars} characters]"
    return " [perhaps incomplete]" if turn.partial else ""


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) + "\n"
