"""Counts and times every request that FastAPI answers, by the route's template."""

from __future__ import annotations

import time

from api.http_server.asgi import App, Message, Receive, Scope, Send
from api.http_server.metrics import http
from mlstack.web.metrics import UNMATCHED, method_label


class ObserveRequests:
    """ASGI middleware; the router leaves the matched route in the scope."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request and count it, even if it fails."""
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

        http.in_flight += 1
        try:
            await self._app(scope, receive, remember)
        finally:
            http.in_flight -= 1
            route = getattr(scope.get("route"), "path", UNMATCHED)
            observer = http.observer(route, method_label(scope["method"]))
            observer.observe(status, time.perf_counter() - started)
