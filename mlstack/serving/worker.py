"""gunicorn's threaded worker with five additions.

It drains without dropping a connection, times out clients that stop sending, refuses requests when too many
wait for a thread, answers invalid HTTP with a problem document, like every other failure, and sends an answer
as a whole.
"""

from __future__ import annotations

import logging
import select
import selectors
import socket
import struct
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from types import FrameType
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from mlstack.serving.body import discard_rest
from mlstack.serving.overload import REFUSING_THREADS, refusing
from mlstack.serving.whole_response import WholeResponse
from mlstack.web.bodies import LARGEST_DISCARD
from mlstack.web.draining import HANDSHAKE_SECONDS, ignore_new_connections
from mlstack.web.problems import CONTENT_TYPE, problem_body

logger = logging.getLogger(__name__)

_STATUS = {LimitRequestLine: 414, LimitRequestHeaders: 431}


class DrainingWorker(ThreadWorker):  # type: ignore[misc]
    """One per replica; `self.app` is the GunicornServer that made it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nothing waits yet."""
        super().__init__(*args, **kwargs)
        self._waiting = 0
        self._refusing = ThreadPoolExecutor(REFUSING_THREADS, "refusing")

    def init_process(self) -> None:
        """Set the receive time-out on the listening sockets: accepted connections inherit it."""
        for listener in self.sockets:
            timeout = struct.pack("ll", self.app.settings.receive_timeout, 0)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)
        wsgi.Response = WholeResponse  # there is no setting for it
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Let a new connection wait for its first bytes without a thread: silent ones would take them all."""
        if not self.alive:
            super().accept(listener)
            return
        with suppress(BlockingIOError, ConnectionAbortedError):
            client, address = listener.accept()
            self.nr_conns += 1
            connection = TConn(self.cfg, client, address, listener.getsockname())
            connection.timeout = time.monotonic() + self.app.settings.receive_timeout
            self.pending_conns.append(connection)
            readable = partial(self.on_pending_socket_readable, connection)
            self.poller.register(client, selectors.EVENT_READ, readable)

    def enqueue_req(self, conn: Any) -> None:
        """Give a request to the threads, or, when too many wait for them, to those that refuse."""
        if self._waiting < self.app.settings.max_pending + self.app.settings.threads:
            self._waiting += 1
            self._submit(self.tpool, self.handle, conn, self._handled)
        else:  # as many as there may be connections
            self._submit(self._refusing, self._refuse, conn, self.finish_request)

    def _submit(
        self,
        pool: ThreadPoolExecutor,
        work: Callable[[Any], Any],
        conn: Any,
        done: Callable[[Any, Any], None],
    ) -> None:
        pool.submit(work, conn).add_done_callback(lambda future: self.method_queue.defer(done, conn, future))

    def _refuse(self, conn: Any) -> Any:
        with refusing():
            return self.handle(conn)

    def _handled(self, conn: Any, future: Any) -> None:
        self._waiting -= 1
        self.finish_request(conn, future)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGTERM become unready at once, then answer the requests in progress."""
        self.app.draining.set()
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """When draining begins, accept the backlog before closing; closing at once would reset it."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for connection in self.pending_conns:
            connection.timeout = min(connection.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
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
        discard_rest(client)
