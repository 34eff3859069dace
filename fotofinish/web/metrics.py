"""What Prometheus reads of this server: its requests and links, the queue, the photos by state.

Requests and links are this process's own; queue and photos are read from the database on each
scrape, so that every server says the same of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from fotofinish.queue import QueueState

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counts what this process does; a registry of its own, so that tests run several."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "fotofinish_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "fotofinish_request_seconds",
            "Time from a request to the end of its answer",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._links = Counter(
            "fotofinish_links", "Links to originals", ("outcome",), registry=self._registry
        )

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered; `route` is the route's pattern, never the address itself."""
        method = method if method in METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_links(self, *, made: int, failed: int) -> None:
        """Links were handed out, or could not be made."""
        self._links.labels("made").inc(made)
        self._links.labels("failed").inc(failed)

    def page(self, queue: QueueState, photos: dict[str, int]) -> bytes:
        """Everything in Prometheus' text format, with what the database said just now."""
        scrape = CollectorRegistry()
        scrape.register(self._registry)
        scrape.register(_Stored(queue, photos))
        return generate_latest(scrape)


class _Stored(Collector):
    def __init__(self, queue: QueueState, photos: dict[str, int]) -> None:
        self._queue = queue
        self._photos = photos

    def collect(self) -> Iterable[Metric]:
        jobs = GaugeMetricFamily("fotofinish_queue_jobs", "Jobs in the queue", labels=["status"])
        jobs.add_metric(["waiting"], self._queue.waiting)
        jobs.add_metric(["running"], self._queue.running)
        yield jobs
        yield GaugeMetricFamily(
            "fotofinish_queue_oldest_seconds",
            "How long the oldest waiting job has been waiting",
            value=self._queue.oldest_seconds,
        )
        yield GaugeMetricFamily(
            "fotofinish_workers", "Workers with a fresh heartbeat", value=self._queue.workers
        )
        photos = GaugeMetricFamily("fotofinish_photos", "Photos by state", labels=["state"])
        for state, number in self._photos.items():
            photos.add_metric([state], number)
        yield photos
