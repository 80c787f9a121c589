"""`/metrics`: counters of the database and gauges of the rooms, read when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import DatabaseError, InterfaceError
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from callops.core.models import Counter

Source = Callable[[], Iterable[Metric]]

_sources: list[Source] = []


def register(source: Source) -> Source:
    """From now on `/metrics` also shows what `source` gives; it is called in sync code for every reading."""
    if source not in _sources:
        _sources.append(source)
    return source


def counted() -> Iterable[Metric]:
    """`callops_counted_total{name="…"}`, one sample for every row of `Counter`."""
    family = CounterMetricFamily("callops_counted", "How often each named thing happened.", labels=["name"])
    for counter in Counter.objects.all():
        family.add_metric([counter.name], counter.count)
    return [family]


class _Rooms(Collector):
    def collect(self) -> Iterable[Metric]:
        """All of them, or, while the database is away, only that it is: a gap is no zero."""
        answers = "Whether the database answered; 0: what is read from it is left out."
        found: list[Metric] = []
        try:
            for source in (counted, *_sources):
                found += source()
        except (DatabaseError, InterfaceError):
            return [GaugeMetricFamily("callops_database_up", answers, value=0)]
        return [GaugeMetricFamily("callops_database_up", answers, value=1), *found]

    def describe(self) -> Iterable[Metric]:
        return []


def text() -> bytes:
    """All metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(_Rooms())
    return generate_latest(registry)
