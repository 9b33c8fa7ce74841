"""Counts and times every request that FastAPI answers, by the route's template."""

from __future__ import annotations

import time

from api import metrics
from api.http_server.asgi import App, Message, Receive, Scope, Send
from mlstack.web.metrics import UNMATCHED, method_label


class ObserveRequests:
    """ASGI middleware; the router leaves the matched route in the scope."""

    def __init__(self, app: App) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, whatever becomes of it, and count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def remember(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        metrics.in_flight.count += 1
        try:
            await self._app(scope, receive, remember)
        finally:
            metrics.in_flight.count -= 1
            route = getattr(scope.get("route"), "path", UNMATCHED)
            metrics.requests.labels(route, method_label(scope["method"]), str(status)).inc()
            metrics.request_seconds.labels(route).observe(time.perf_counter() - started)
