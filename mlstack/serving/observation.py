"""The id, metrics and log line of every request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from mlstack.serving.metrics import ServingMetrics
from mlstack.web.metrics import UNMATCHED
from mlstack.web.request_ids import HEADER, request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

_QUIET = frozenset({"/livez", "/readyz", "/health", "/metrics"})


class InFlight:
    """WSGI middleware that counts the requests in progress."""

    def __init__(self, app: WSGIApplication, metrics: ServingMetrics) -> None:
        self._app = app
        self._gauge = metrics.in_flight

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request; Flask's answer is complete when it returns."""
        with self._gauge.track_inprogress():
            return self._app(environ, start_response)


def observe_requests(app: Flask, metrics: ServingMetrics) -> None:
    """Give every request of `app` an id and count, time and log it."""

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        g.request_id = request_id(request.headers.get(HEADER))

    @app.after_request
    def end(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        seconds = time.perf_counter() - g.started
        route = request.url_rule.rule if request.url_rule else None
        metrics.observe(request.method, route, response.status_code, seconds)
        if route not in _QUIET or response.status_code >= 500:
            _log_request(route, response.status_code, seconds)
        return response

    app.wsgi_app = InFlight(app.wsgi_app, metrics)  # type: ignore[method-assign]


def _log_request(route: str | None, status: int, seconds: float) -> None:
    fields: dict[str, Callable[[], object] | object] = {
        "method": request.method,
        "route": route or UNMATCHED,
        "status": status,
        "milliseconds": round(seconds * 1000, 3),
        "request_id": g.request_id,
        "model_version": g.get("model_version"),
    }
    logger.info("request", extra=fields)
