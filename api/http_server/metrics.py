"""Requests by route, method and status, and their durations.

Plain numbers, changed on the event loop only and read at each scrape: prometheus_client's own counters take a
lock for each change, many times per batch of requests.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from api.metrics import REGISTRY
from mlstack.web.metrics import SECONDS

CLIENT_GONE = 499  # the client disconnected before the answer; nginx logs the same status
_BOUNDS = (*map(str, SECONDS), "+Inf")


class Durations:
    """The durations of the requests to one route."""

    __slots__ = ("buckets", "sum")

    def __init__(self) -> None:
        """None yet."""
        self.buckets = [0] * len(_BOUNDS)
        self.sum = 0.0


class RouteObserver:
    """The requests to one route by one method."""

    __slots__ = ("_durations", "statuses")

    def __init__(self, durations: Durations) -> None:
        """`durations` are shared by all methods of the route."""
        self._durations = durations
        self.statuses: Counter[int] = Counter()

    def observe(self, status: int, seconds: float) -> None:
        """Count an answered request."""
        self.statuses[status] += 1
        durations = self._durations
        durations.buckets[bisect_left(SECONDS, seconds)] += 1
        durations.sum += seconds


class RequestMetrics(Collector):
    """All requests of this process."""

    def __init__(self) -> None:
        """None yet."""
        self.in_flight = 0
        self._routes: dict[str, Durations] = {}
        self._observers: dict[tuple[str, str], RouteObserver] = {}

    def observer(self, route: str, method: str, *statuses: int) -> RouteObserver:
        """Return the observer of a route's template and method; `statuses` start with a count of zero."""
        observer = self._observers.get((route, method))
        if observer is None:
            durations = self._routes.setdefault(route, Durations())
            observer = self._observers[route, method] = RouteObserver(durations)
        for status in statuses:
            observer.statuses.setdefault(status, 0)
        return observer

    def collect(self) -> Iterator[Metric]:
        """Yield the three families."""
        yield GaugeMetricFamily("http_requests_in_flight", "Requests being answered", value=self.in_flight)
        requests = CounterMetricFamily(
            "http_requests", "Requests answered", labels=["route", "method", "status"]
        )
        for (route, method), observer in self._observers.items():
            for status, count in observer.statuses.items():
                requests.add_metric([route, method, str(status)], count)
        yield requests
        seconds = HistogramMetricFamily(
            "http_request_duration_seconds", "Time to answer a request", labels=["route"]
        )
        for route, durations in self._routes.items():
            buckets = list(zip(_BOUNDS, accumulate(durations.buckets), strict=True))
            seconds.add_metric([route], buckets, durations.sum)
        yield seconds


http = RequestMetrics()
REGISTRY.register(http)
