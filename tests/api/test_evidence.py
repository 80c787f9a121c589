"""The evidence of a call over the API: the same bundle that a person downloads."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.test import Client

from tests.reports.cases import silent_refer

pytestmark = pytest.mark.django_db


def test_a_program_takes_the_bundle_with_its_token(client: Client, api: Client) -> None:
    call, attempt = silent_refer()
    address = f"/api/calls/{call.pk}/evidence.zip"

    masked = api.get(address)
    readable = api.get(f"{address}?numbers=true")

    assert (masked.status_code, masked.headers["Content-Type"]) == (200, "application/zip")
    texts = []
    for answer in (masked, readable):
        with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as archive:
            texts.append(archive.read("transfers.json").decode())
    assert [attempt.target_uri in text for text in texts] == [False, True]
    assert client.get(address).status_code == 401
    assert api.get("/api/calls/01none/evidence.zip").status_code == 404


def test_the_document_tells_of_it(client: Client) -> None:
    paths = json.loads(client.get("/api/openapi.json").content)["paths"]

    answers = paths["/api/calls/{call_id}/evidence.zip"]["get"]["responses"]
    assert list(answers["200"]["content"]) == ["application/zip"]
    assert {"401", "404"} <= set(answers)
