"""gunicorn's threaded worker with three additions.

It drains without dropping a connection, times out clients that stop sending, and answers
invalid HTTP with a problem document, like every other failure.
"""

from __future__ import annotations

import logging
import select
import socket
import struct
import uuid
from http import HTTPStatus
from types import FrameType
from typing import Any

from gunicorn import util
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import ThreadWorker

from mlstack.web.bodies import LARGEST_DISCARD
from mlstack.web.draining import HANDSHAKE_SECONDS, ignore_new_connections
from mlstack.web.problems import CONTENT_TYPE, problem_body

logger = logging.getLogger(__name__)

_STATUS = {LimitRequestLine: 414, LimitRequestHeaders: 431}


class DrainingWorker(ThreadWorker):  # type: ignore[misc]
    """One per replica; `self.app` is the GunicornServer that made it."""

    def init_process(self) -> None:
        """Set the receive time-out on the listening sockets: accepted connections inherit it."""
        for listener in self.sockets:
            timeout = struct.pack("ll", self.app.settings.receive_timeout, 0)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)
        super().init_process()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGTERM become unready at once, then answer the requests in progress."""
        self.app.draining.set()
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """When draining begins, accept the backlog before closing; closing at once would reset it."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            ignore_new_connections(listener.fileno())
            while select.select([listener], [], [], HANDSHAKE_SECONDS)[0]:
                self.accept(listener)
            listener.close()

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Announce `Connection: close` when a body is too large to be discarded."""
        if getattr(req.body.reader, "length", 0) > LARGEST_DISCARD:
            req.force_close()
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer a request that gunicorn could not parse; the application never sees it."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        status = HTTPStatus(_STATUS.get(type(exc), 400))
        request_id = uuid.uuid4().hex
        logger.info(
            "invalid http", extra={"status": int(status), "reason": str(exc), "request_id": request_id}
        )
        body = problem_body(status, f"expected an HTTP request: {type(exc).__name__}", request_id)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
            f"Content-Type: {CONTENT_TYPE}\r\nX-Request-ID: {request_id}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        util.write_nonblock(client, head.encode() + body)
