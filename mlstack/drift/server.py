"""What the drift monitor shows over HTTP: /metrics, /health, its report, and those of the quality gate."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest

from mlstack.drift.loop import MonitoringLoop
from mlstack.drift.metrics import DriftCollector
from mlstack.drift.page import render_page
from mlstack.registry.store import ModelStore

_REPORT = re.compile(r"/versions/(\d{1,9})/report\.(html|png)")
_HTML, _JSON = "text/html; charset=utf-8", "application/json"

Answer = tuple[int, str, bytes]


class Pages:
    """Answers a path from the loop's state and the model volume."""

    def __init__(self, loop: MonitoringLoop, store: ModelStore) -> None:
        """Nothing is copied."""
        self._loop = loop
        self._store = store
        self._registry = CollectorRegistry()
        self._registry.register(DriftCollector(loop))
        ProcessCollector(registry=self._registry)

    def answer(self, path: str) -> Answer:
        """Return status, content type and body."""
        match path:
            case "/metrics":
                return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry)
            case "/health":
                return self._health()
            case "/":
                page = render_page(self._loop.report, self._loop.failure, self._store.versions())
                return HTTPStatus.OK, _HTML, page.encode()
        return self._report(path)

    def _health(self) -> Answer:
        loop = self._loop
        drift = loop.report.status if loop.report else "not told yet"
        body = msgspec.json.encode({"responsive": loop.responsive, "drift": drift, "failure": loop.failure})
        return HTTPStatus.OK if loop.responsive else HTTPStatus.SERVICE_UNAVAILABLE, _JSON, body

    def _report(self, path: str) -> Answer:
        found = _REPORT.fullmatch(path)
        try:
            if found is None:
                raise FileNotFoundError
            content = (self._store.path(int(found[1])) / f"report.{found[2]}").read_bytes()
        except OSError:
            return HTTPStatus.NOT_FOUND, _JSON, b'{"detail": "there is no such page"}'
        return HTTPStatus.OK, _HTML if found[2] == "html" else "image/png", content


@contextmanager
def serving(pages: Pages, port: int) -> Iterator[int]:
    """Answer on `port` (0: any free one) in threads until the block ends; give the port."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            status, content_type, body = pages.answer(self.path.partition("?")[0])
            with suppress(ConnectionError):  # a health check leaves once it has read the status
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
            """Stay silent: a line per scrape tells nothing."""

    with ThreadingHTTPServer(("", port), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
