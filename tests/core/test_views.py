from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import RequestFactory
from prometheus_client.metrics_core import GaugeMetricFamily

from callops.core import access, metrics, readiness, views
from callops.core.counters import bump

AT = datetime(2025, 11, 6, 17, 4, 33, tzinfo=UTC)


@pytest.fixture
def one_good_token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(access, "_checks", [])
    access.register_bearer(lambda token: token == "good")
    return "good"


def test_a_process_that_answers_is_healthy(rf: RequestFactory) -> None:
    answer = views.healthz(rf.get("/healthz"))

    assert answer.status_code == 200
    assert json.loads(answer.content) == {"status": "ok"}


def test_health_is_only_read(rf: RequestFactory) -> None:
    assert views.healthz(rf.post("/healthz")).status_code == 405


@pytest.mark.django_db
def test_a_process_with_database_migrations_and_layer_is_ready(rf: RequestFactory) -> None:
    answer = views.readyz(rf.get("/readyz"))

    assert (answer.status_code, json.loads(answer.content)) == (200, {"status": "ready"})


@pytest.mark.django_db
def test_a_missing_layer_is_a_reason_not_to_be_ready(rf: RequestFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "layer_answers", lambda: False)

    answer = views.readyz(rf.get("/readyz"))

    assert answer.status_code == 503
    assert json.loads(answer.content)["reason"] == "the channel layer cannot be reached"


@pytest.mark.django_db
def test_unapplied_migrations_are_a_reason_not_to_be_ready(rf: RequestFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "unapplied_migrations", lambda: ["calls.0002_more"])

    answer = views.readyz(rf.get("/readyz"))

    assert answer.status_code == 503
    assert "1 migrations" in json.loads(answer.content)["reason"]


@pytest.mark.django_db
def test_metrics_show_what_was_counted_and_what_rooms_measure(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "_sources", [])
    metrics.register(lambda: [GaugeMetricFamily("callops_live_calls", "Calls now.", value=3)])
    bump("openai_bad_signature", AT, "no header")

    text = views.metrics_text(rf.get("/metrics")).content.decode()

    assert 'callops_counted_total{name="openai_bad_signature"} 1.0' in text
    assert "callops_live_calls 3.0" in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "192.0.2.7"}, 403),
        ({"REMOTE_ADDR": ""}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.7"}, 403),
        ({"REMOTE_ADDR": "192.0.2.7", "HTTP_AUTHORIZATION": "Bearer good"}, 200),
        ({"REMOTE_ADDR": "192.0.2.7", "HTTP_AUTHORIZATION": "Bearer bad"}, 403),
        ({"REMOTE_ADDR": "192.0.2.7", "HTTP_AUTHORIZATION": "Basic good"}, 403),
    ],
)
def test_metrics_are_for_this_machine_or_a_bearer_token(
    rf: RequestFactory, one_good_token: str, extra: dict[str, Any], status: int
) -> None:
    assert views.metrics_text(rf.get("/metrics", **extra)).status_code == status
