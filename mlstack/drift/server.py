"""The drift monitor over HTTP: its page, /metrics, /health, and the reports of the quality gate."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec
from flask import Flask, Response, render_template, request, send_from_directory
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.registry import Collector
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

from mlstack.drift.check import MIN_ROWS
from mlstack.drift.history import History, state
from mlstack.drift.loop import MonitoringLoop
from mlstack.drift.metrics import DriftCollector
from mlstack.drift.statistics import ColumnDrift
from mlstack.live.metrics import LiveErrorCollector
from mlstack.live.monitor import LiveErrors
from mlstack.registry.store import ModelStore
from mlstack.web.problems import CONTENT_TYPE, DETAILS, problem_body
from mlstack.web.request_ids import HEADER, request_id

_MOST_CATEGORIES = 20  # of a column on the page, the most frequent ones


def create_app(
    loop: MonitoringLoop,
    store: ModelStore,
    live: LiveErrors,
    history: History | None = None,
    collectors: Iterable[Collector] = (),
) -> Flask:
    """Return the application; each request reads the loop's state and the model volume as they are now.

    /metrics has the `collectors` beside its own; /state is what the api's page draws.
    """
    app = Flask(__name__, template_folder="..", static_folder=None)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    _add_probes(app, loop, (DriftCollector(loop), LiveErrorCollector(lambda: live.latest), *collectors))
    _add_state(app, loop, live, history)
    _add_pages(app, loop, store, live)

    @app.errorhandler(HTTPException)
    def problem(error: HTTPException) -> Response:
        status = error.code or 500
        detail = DETAILS.get(status) or error.description or "the request cannot be answered"
        body = problem_body(status, detail, request_id(request.headers.get(HEADER)))
        headers = {name: value for name, value in error.get_headers() if name == "Allow"}
        return Response(body, status, headers, content_type=CONTENT_TYPE)

    return app


def _add_probes(app: Flask, loop: MonitoringLoop, collectors: Iterable[Collector]) -> None:
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    ProcessCollector(registry=registry)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    @app.get("/health")
    def health() -> tuple[dict[str, object], int]:
        drift = loop.report.status if loop.report else "not told yet"
        body: dict[str, object] = {"responsive": loop.responsive, "drift": drift, "failure": loop.failure}
        return body, 200 if loop.responsive else 503


def _add_state(app: Flask, loop: MonitoringLoop, live: LiveErrors, history: History | None) -> None:
    @app.get("/state")
    def now() -> Response:
        found = state(loop, live.latest, history.points if history else ())
        return Response(msgspec.json.encode(found), content_type="application/json")


def _add_pages(app: Flask, loop: MonitoringLoop, store: ModelStore, live: LiveErrors) -> None:
    def render(versions: list[int] | None) -> str:
        shown: dict[str, object] = {"report": loop.report, "failure": loop.failure, "min_rows": MIN_ROWS}
        shown |= {"most_categories": _MOST_CATEGORIES, "largest_bins": _largest_bins}
        return render_template("drift/page.html", versions=versions, live=live.latest, **shown)

    @app.get("/")
    def page() -> str:
        return render(store.versions()[::-1])

    @app.get("/drift.html")  # without links to the reports of versions: the api has its own
    def drift() -> str:
        return render(None)

    @app.get("/versions/<int:version>/report.<any(html, png):kind>")
    def report(version: int, kind: str) -> Response:
        return send_from_directory(store.path(version).absolute(), f"report.{kind}")


def _largest_bins(column: ColumnDrift) -> list[tuple[str, float, float]]:
    """Return label, expected and actual share of each bin, those with the most rows of both first."""
    bins = zip(column.labels, column.expected, column.actual, strict=True)
    return sorted(bins, key=lambda found: -found[1] - found[2])


class _RequestHandler(WSGIRequestHandler):
    timeout = 10  # seconds without a byte until a connection is closed

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log no requests: they are probes and scrapes, every few seconds."""


@contextmanager
def serving(app: Flask, port: int) -> Iterator[None]:
    """Answer requests on `port` in threads until the block ends. SIGTERM ends the process at once.

    Werkzeug's server is enough for an internal page with one reader and a scrape every few seconds. It runs
    in the process whose state it shows; gunicorn would fork another one.
    """
    # A check only reads, so it may be cut short. A SystemExit would become an ImportError if it were raised
    # inside an import.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = make_server("0.0.0.0", port, app, threaded=True, request_handler=_RequestHandler)  # noqa: S104
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
