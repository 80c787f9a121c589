"""What `/metrics` shows of calls, sidebands and transfers, read from the database when it is asked."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from callops.alerts import signs
from callops.alerts.models import KINDS, Incident
from callops.calls.models import Call
from callops.calls.words import State
from callops.core import beats, clock
from callops.core.metrics import register
from callops.sideband.models import AiSession
from callops.transfers.models import TransferAttempt


def show() -> None:
    """From now on `/metrics` has them."""
    for source in (calls, sidebands, engines, transfers, signs_of_life, incidents):
        register(source)


def calls() -> Iterable[Metric]:
    """`callops_calls{state="…"}`: calls that are not over, by state; every state is there."""
    counts = dict(Call.objects.unfinished().values_list("state").annotate(Count("pk")).order_by())
    family = GaugeMetricFamily("callops_calls", "Calls that are not over, by state.", labels=["state"])
    for state in State:
        if state != State.ENDED:
            family.add_metric([state], counts.get(state, 0))
    return [family]


def sidebands() -> Iterable[Metric]:
    """`callops_sidebands`: sockets held under a lease; `callops_sidebands_waiting`: accepted sessions nobody holds."""
    wanted = AiSession.objects.filter(accepted_at__isnull=False, closed_at__isnull=True)
    held = wanted.filter(lease_until__gte=clock.now()).count()
    return [
        GaugeMetricFamily("callops_sidebands", "Sidebands held under a lease.", value=held),
        GaugeMetricFamily("callops_sidebands_waiting", "Sessions nobody holds.", value=wanted.count() - held),
    ]


LOADS = {
    "calls": ("callops_engine_calls", "Sidebands the engine holds."),
    "capacity": ("callops_engine_capacity", "Sidebands the engine takes before it leaves new ones to others."),
    "batches": ("callops_engine_batches_waiting", "Batches of sideband events the engine has not stored yet."),
    "events": ("callops_engine_events_waiting", "Sideband events in these batches."),
}
"""What an engine says of itself, and the gauge that shows it."""


def engines() -> Iterable[Metric]:
    """`callops_engine_…{engine="…"}`: the load of each engine as of its last look, at most a second ago."""
    loads = beats.loads(clock.now())
    for key, (name, words) in LOADS.items():
        family = GaugeMetricFamily(name, words, labels=["engine"])
        for engine, says in sorted(loads.items()):
            if key in says:
                family.add_metric([engine], says[key])
        yield family


def transfers() -> Iterable[Metric]:
    """`callops_transfers{mechanism="…",outcome="…"}`: all transfers by what did the work and what came of it."""
    rows = TransferAttempt.objects.values_list("mechanism", "outcome").annotate(Count("pk")).order_by()
    labels = ["mechanism", "outcome"]
    family = GaugeMetricFamily("callops_transfers", "Transfers by mechanism and outcome.", labels=labels)
    for mechanism, outcome, count in rows:
        family.add_metric([mechanism, outcome], count)
    return [family]


def signs_of_life() -> Iterable[Metric]:
    """`callops_engines`, and `callops_seconds_since{sign="…"}` for what was seen at least once."""
    now = clock.now()
    seen = signs.read(now)
    ages = GaugeMetricFamily(
        "callops_seconds_since", "Seconds since the last OpenAI webhook and the last Twilio request.", labels=["sign"]
    )
    for sign, at in (("openai_webhook", seen.webhook_at), ("twilio_request", seen.callback_at)):
        if at is not None:
            ages.add_metric([sign], max(0.0, (now - at).total_seconds()))
    return [GaugeMetricFamily("callops_engines", "Engines that look around.", value=seen.engines), ages]


def incidents() -> Iterable[Metric]:
    """`callops_open_incidents{kind="…"}`: incidents that are open now; every kind is there."""
    counts = dict(Incident.objects.still_open().values_list("kind").annotate(Count("pk")).order_by())
    family = GaugeMetricFamily("callops_open_incidents", "Incidents that are open, by kind.", labels=["kind"])
    for kind, _ in KINDS:
        family.add_metric([kind], counts.get(kind, 0))
    return [family]
