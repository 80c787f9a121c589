"""The bundle: what is in it and what never is, the same bytes twice, and a check that notices every change."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from callops.calls.kinds import Kind
from callops.people import groups
from callops.people.roles import Role
from callops.reports.bundle import FILES, MANIFEST, bundle
from callops.reports.checking import problems, verdict_of
from callops.reports.gathering import gather
from callops.reports.record import CallRecord, Witnessed
from callops.transfers.verdict import Fact, judge
from tests.reports.cases import moving, record, row, said, silent_refer
from tests.rows import at
from tests.transfers.facts import facts

HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</svg><svg onload=alert(1)>",
    "\u202eevil\u202c \u2066right to left\u2069",
    "x" * 1_000_000,
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "a\x00b",
    "=cmd|' /C calc'!A0",
    "`````](javascript:alert(1)) | cell | <b>",
    "\ud800 half a pair",
    "]]>&lt;&#60;\r\n# heading\n---\n",
]


def zip_of(one: CallRecord, **wish: Any) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(bundle(one, **wish))))


def lines(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).decode().split("\n") if line]


@pytest.mark.django_db
def test_the_bundle_holds_every_file_and_the_same_call_and_time_give_the_same_bytes() -> None:
    call, _ = silent_refer()

    first = b"".join(bundle(gather(call, at=at(60))))
    again = b"".join(bundle(gather(call, at=at(60))))

    assert first == again
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.namelist() == [*FILES, MANIFEST]
        assert [each["kind"] for each in lines(archive, "timeline.jsonl")][-2:] == [
            "openai.refer_answered",
            "clock.refer_deadline",
        ]
        (refer,) = lines(archive, "http.jsonl")
        assert refer["request"].endswith(f"/realtime/calls/{call.ai_call_id}/refer")
        assert refer["sent"] == {"target_uri": f"tel:+xxxxxx{call.transfers.get().target_uri[-2:]}"}
        assert (refer["headers"]["content-length"], refer["absent"]) == ("0", ["x-request-id", "openai-processing-ms"])
        sentences = [each["sentence"] for each in lines(archive, "expected.jsonl")]
        assert "REFER at the carrier: not seen by 12:00:24" in sentences


@pytest.mark.django_db
def test_no_secret_leaves_the_house_and_numbers_only_when_somebody_wished_it() -> None:
    call, attempt = silent_refer()
    texts = {
        numbers: "".join(each.decode() for each in _contents(zip_of(gather(call, at=at(60)), numbers=numbers)))
        for numbers in (False, True)
    }

    for text in texts.values():
        assert not [secret for secret in (call.token, attempt.token, "do-not-tell") if secret in text]
    assert "15550123" not in texts[False] and attempt.target_uri not in texts[False]
    assert "+15550123" in texts[True] and attempt.target_uri in texts[True]


@pytest.mark.parametrize(
    "words",
    ["call me at +1 555 0123 456", "it is 555 0199 123", "five five five oh one two three", "double five 5 01 23 9"],
)
def test_a_number_that_was_said_is_masked_with_the_others(words: str) -> None:
    text = zip_of(record(said=[said(words)])).read("transcript.txt").decode()

    assert "x" in text.split("caller: ")[1] and "0123" not in text and "oh one" not in text


def test_a_change_of_any_file_is_noticed_and_so_is_one_that_was_added(tmp_path: Path) -> None:
    whole = b"".join(bundle(record(said=[said("good morning")])))
    good = tmp_path / "good.zip"
    good.write_bytes(whole)
    assert problems(good) == []
    for name in FILES:
        with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(tmp_path / "bad.zip", "w") as new:
            for each in old.namelist():
                new.writestr(each, old.read(each) + (b" " if each == name else b""))
        assert f"{name} is not what the manifest says." in problems(tmp_path / "bad.zip")
    with zipfile.ZipFile(good, "a") as more:
        more.writestr("note.txt", "by another hand")
    assert problems(good) == ["note.txt is not in the manifest."]


def test_a_manifest_that_was_made_to_fit_has_another_whole(tmp_path: Path) -> None:
    path = tmp_path / "forged.zip"
    with zip_of(record()) as old, zipfile.ZipFile(path, "w") as new:
        manifest = json.loads(old.read(MANIFEST))
        manifest["files"].pop(0)
        for each in old.namelist()[1:-1]:
            new.writestr(each, old.read(each))
        new.writestr(MANIFEST, json.dumps(manifest))

    assert problems(path) == ["The hash of the whole is not that of the files."]


def test_the_command_says_what_is_wrong_in_one_line_each(tmp_path: Path) -> None:
    path = tmp_path / "call.zip"
    path.write_bytes(b"".join(bundle(record())))
    out = io.StringIO()

    call_command("verify_bundle", path, stdout=out)

    assert "every hash is right" in out.getvalue()
    path.write_bytes(b"no zip")
    with pytest.raises(CommandError, match="no bundle that can be read"):
        call_command("verify_bundle", path)


@settings(max_examples=150, deadline=None)
@given(drawn=facts, refer_only=st.booleans(), numbers=st.booleans())
def test_the_evidence_read_back_from_a_bundle_proves_the_same(
    drawn: list[Fact], refer_only: bool, numbers: bool
) -> None:
    evidence = [
        Witnessed(kind=fact.kind, witness="carrier", at=fact.at, seq=seq, detail=fact.detail)
        for seq, fact in enumerate(drawn, start=1)
    ]
    one = record(moves=[moving(evidence, refer_only=refer_only)])

    (transfer,) = json.loads(zip_of(one, numbers=numbers).read("transfers.json"))

    assert verdict_of(transfer) == judge(drawn, refer_only=refer_only)


@pytest.mark.parametrize("words", HOSTILE, ids=range(10))
def test_hostile_words_stay_in_their_line(words: str) -> None:
    one = record(
        said=[said(words), said("good bye")], happened=[row(1, Kind.OPENAI_TURN, text=words, speaker="caller")]
    )

    archive = zip_of(one)

    text = archive.read("transcript.txt").decode()
    assert text.count("\n") == 2 and text.endswith("caller: good bye\n")
    assert not {"\u202e", "\u2066", "\x00", "\r"} & set(text)
    assert len(lines(archive, "transcript.jsonl")) == 2
    assert len(lines(archive, "timeline.jsonl")) == 1


@pytest.mark.parametrize("words", [*HOSTILE, "  =1+1", "\t=1+1", "+15550123", "-2+3", "@SUM(A1)", "＝1+1"])
def test_hostile_words_are_one_cell_and_no_formula(words: str) -> None:
    one = record(said=[said(words)], happened=[row(1, Kind.OPENAI_TURN, text=words)])

    with zip_of(one, numbers=True) as archive:
        tables = [archive.read(name).decode() for name in ("transcript.csv", "timeline.csv")]

    for text in tables:
        head, cells = csv.reader(io.StringIO(text, newline=""))
        assert len(cells) == len(head)
        assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@", "＝"))]
        assert "\x00" not in text


@pytest.mark.django_db
def test_the_page_offers_the_bundle_and_the_address_answers_it(client: Client) -> None:
    call, _ = silent_refer()
    analyst = User.objects.create_user("analyst")
    groups.give(analyst, Role.ANALYST)
    client.force_login(analyst)

    page = client.get(f"/calls/{call.pk}/").content.decode()
    answer = client.get(f"/calls/{call.pk}/evidence.zip")

    assert f'action="/calls/{call.pk}/evidence.zip"' in page
    assert answer.headers["Content-Type"] == "application/zip"
    assert f'filename="callops-{call.pk}.zip"' in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as archive:
        assert json.loads(archive.read(MANIFEST))["numbers"] == "masked"
    assert client.get("/calls/01NOSUCHCALL/evidence.zip").status_code == 404
    client.logout()
    assert client.get(f"/calls/{call.pk}/evidence.zip").status_code == 302


def _contents(archive: zipfile.ZipFile) -> list[bytes]:
    return [archive.read(name) for name in archive.namelist()]
