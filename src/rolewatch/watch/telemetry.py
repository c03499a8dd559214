"""What a watcher measures of itself, for Prometheus: a registry of its own, with labels that nobody else can fill.

Counters are this process's. What only the state knows (findings, the outbox, failed deliveries) is as the last look at it
has found it, and the same in all watchers of one state.
"""

import platform
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, Info, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from rolewatch import __version__
from rolewatch.base.sanitise import terminal
from rolewatch.catalog.roles import principals
from rolewatch.store.outbox import Letter
from rolewatch.store.sources import SourceRow
from rolewatch.watch.feed import Feed, Given
from rolewatch.watch.health import Pulse
from rolewatch.watch.lateness import word_of
from rolewatch.watch.log_lines import result_of
from rolewatch.watch.observer import Committed, Observer
from rolewatch.watch.register import Changed
from rolewatch.watch.selfcheck import CONDITIONS, decode
from rolewatch.watch.telemetry_census import Census

OTHER: Final = "other"  # any service that the catalogue does not list
LONGEST: Final = 200  # characters of a label
_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_STATES: Final = ("waiting", "held", "dead", "sent", "merged")

Values = dict[tuple[str, ...], float]


class Telemetry(Observer):
    """Counts what it is told, and gives it as a registry."""

    def __init__(self, feed: Feed, pulse: Pulse, census: Callable[[], Census], clock: Callable[[], datetime]) -> None:  # fmt: skip
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        build = Info("rolewatch_build", "The version that runs.", registry=registry)
        build.info({"version": __version__, "python": platform.python_version()})

        def counter(name: str, says: str, *labels: str) -> Counter:
            return Counter(f"rolewatch_{name}", says, labels, registry=registry)

        self._deliveries = counter("deliveries", "Deliveries that were committed, failed ones included.", "source")  # fmt: skip
        self._failures = counter("delivery_failures", "Deliveries that could not be read, or not to their end.", "source")  # fmt: skip
        self._put_off = counter("delivery_retries", "Attempts to fetch a delivery that failed and are made again.", "source")  # fmt: skip
        self._records = counter("records", "Records in what was committed.")
        self._denials = counter("denials", "Denials that were new, by the service that was refused.", "service")  # fmt: skip
        self._duplicates = counter("duplicates", "Denials that were known already.")
        self._late = counter("late_denials", "Denials of days whose identities are not remembered any more.")
        self._told = counter("messages", "Notifications that were decided on, by kind.", "kind")
        self._sent = counter("notifications", "What became of notifications that were sent, by target.", "target", "result")  # fmt: skip
        self._batches = Histogram("rolewatch_batch_seconds", "Time from reading a batch of deliveries to its commit.", buckets=_BUCKETS, registry=registry)  # fmt: skip
        registry.register(_Now(feed, pulse, census, clock))
        for source in feed.sources:
            for metric in (self._deliveries, self._failures, self._put_off):
                metric.labels(label(word_of(source)))

    def committed(self, committed: Committed) -> None:
        """Count a batch."""
        changed = committed.changed
        for given in committed.given:
            self._deliveries.labels(_source(given)).inc()
        for given in committed.failed:
            self._failures.labels(_source(given)).inc()
        for service, number in changed.services.items():
            self._denials.labels(_service(service)).inc(number)
        self._records.inc(committed.records)
        self._duplicates.inc(committed.repeated)
        self._late.inc(changed.late)
        self._batches.observe(committed.seconds)
        self.changed(changed)

    def put_off(self, given: Given, reason: str, seconds: float) -> None:
        """Count an attempt."""
        del reason, seconds
        self._put_off.labels(_source(given)).inc()

    def changed(self, changed: Changed) -> None:
        """Count notifications that were decided on."""
        for notification in changed.told:
            self._told.labels(notification.kind).inc()

    def sent(self, target: str, letter: Letter) -> None:
        """Count what became of a letter."""
        self._sent.labels(label(target), result_of(letter)).inc()


class _Now(Collector):
    """What is so at the moment in which it is asked for."""

    def __init__(self, feed: Feed, pulse: Pulse, census: Callable[[], Census], clock: Callable[[], datetime]) -> None:  # fmt: skip
        self._feed, self._pulse, self._census, self._clock = feed, pulse, census, clock

    def collect(self) -> Iterable[Metric]:
        """Give everything."""
        census = self._census()
        yield _gauge("alive", "1 while the watcher goes on (/healthz).", self._pulse.alive)
        yield _gauge("ready", "1 while it is ready (/readyz).", self._pulse.ready(self._feed).ok)
        yield _gauge("state_up", "1 while the state answers.", not self._pulse.state_trouble())
        yield _gauge("failed_deliveries", "Deliveries that could not be read and wait for `rolewatch deliveries retry`.", census.failed)  # fmt: skip
        yield _family("findings", "Findings, by status and severity.", ("status", "severity"), dict(census.findings))  # fmt: skip
        letters: Values = {(state,): census.outbox.get(state, 0) for state in _STATES}
        yield _family("outbox", "Notifications in the outbox, by state; dead ones were given up.", ("state",), letters)  # fmt: skip
        ups: Values = {(label(word),): not why for word, why in self._pulse.troubles(self._feed).items()}
        yield _family("source_up", "1 while a source answers.", ("source",), ups)
        words = [word_of(source) for source in self._feed.sources]
        yield from self._rows([census.sources[word] for word in words if word in census.sources])

    def _rows(self, rows: Iterable[SourceRow]) -> Iterable[Metric]:
        now = self._clock().timestamp()
        last: Values = {}
        lags: Values = {}
        alarms: Values = {}
        for row in rows:
            name, standing = label(row.source), decode(row.alarms)
            alarms |= {(name, condition): condition in standing for condition in CONDITIONS}
            if row.arrived is not None:
                last[(name,)] = row.arrived / 1000
                lags[name, "delivery"] = max(0.0, now - row.arrived / 1000)
            if row.newest is not None:
                lags[name, "event"] = max(0.0, now - row.newest / 1000)
        yield _family("last_delivery_timestamp_seconds", "When the last delivery of a source was committed.", ("source",), last)  # fmt: skip
        yield _family("lag_seconds", "How far the newest event, and the last delivery, of a source are behind the clock.", ("source", "of"), lags)  # fmt: skip
        yield _family("self_alarm", "1 while an alarm of the watcher about itself stands.", ("source", "condition"), alarms)  # fmt: skip


def label(text: str) -> str:
    """Make text a label that steers no terminal and is not too long."""
    return terminal(text, LONGEST)


def _source(given: Given) -> str:
    return label(word_of(given.source))


def _service(principal: str) -> str:
    """Name a service of the catalogue; anything else is one label together, whoever wrote it."""
    name = principal.removesuffix(".cn")
    return name if name in principals() else OTHER


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"rolewatch_{name}", says, value=float(value))


def _family(name: str, says: str, labels: tuple[str, ...], values: Values) -> Metric:
    family = GaugeMetricFamily(f"rolewatch_{name}", says, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, float(value))
    return family
