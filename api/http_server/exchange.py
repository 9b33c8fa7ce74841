"""A request on the fast path of direct.py, and its response, written at once."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from api.http_server.metrics import CLIENT_GONE, RouteObserver, http
from mlstack.web.problems import Problem

if TYPE_CHECKING:
    from api.http_server.direct import DirectProtocol

_OK = HTTPStatus.OK


class _NoEvent:
    """uvicorn sets its cycle's event when the client disconnects; no task waits for this one."""

    def set(self) -> None:
        """Do nothing."""


class _ServerHeaders:
    """The header lines that uvicorn adds to every response; uvicorn makes a new list each second."""

    def __init__(self) -> None:
        self.source: list[tuple[bytes, bytes]] = []
        self.lines = ""
        self.close = False  # they contain `Connection: close`, as while draining

    def refresh(self, source: list[tuple[bytes, bytes]]) -> None:
        self.source = source
        self.lines = "".join([f"{name.decode()}: {value.decode()}\r\n" for name, value in source])
        self.close = any(name.lower() == b"connection" for name, _ in source)


_server = _ServerHeaders()


class DirectExchange:
    """A request and its response. uvicorn sees it as the cycle in progress, hence the attributes' names."""

    __slots__ = (
        "_observer",
        "_protocol",
        "_request_id",
        "_started",
        "disconnected",
        "keep_alive",
        "response_complete",
    )

    message_event = _NoEvent()

    def __init__(
        self, protocol: DirectProtocol, request_id: str, observer: RouteObserver, started: float
    ) -> None:
        """The request is complete and was accepted at `started`, a value of time.perf_counter()."""
        self._protocol = protocol
        self._request_id = request_id
        self._observer = observer
        self._started = started
        self.keep_alive = True  # uvicorn sets this to False when it shuts down
        self.response_complete = False
        self.disconnected = False

    def answer(self, body: str) -> None:
        """Send a prediction."""
        self._send(_OK, "content-type: application/json\r\n", body)

    def refuse(self, problem: Problem) -> None:
        """Send a problem."""
        lines = "".join([f"{name.lower()}: {value}\r\n" for name, value in problem.headers().items()])
        self._send(HTTPStatus(problem.status), lines, problem.body(self._request_id).decode())

    def _send(self, status: HTTPStatus, headers: str, body: str) -> None:
        """Write the response, if the client is still connected, and count the request."""
        self.response_complete = True
        http.in_flight -= 1
        protocol = self._protocol
        transport = protocol.raw_transport
        if transport.is_closing():
            self._observer.observe(CLIENT_GONE, time.perf_counter() - self._started)
            return
        default = protocol.server_state.default_headers
        if default is not _server.source:
            _server.refresh(default)
        content = body.encode()
        close = "" if self.keep_alive or _server.close else "connection: close\r\n"
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n{_server.lines}{headers}"
            f"x-request-id: {self._request_id}\r\ncontent-length: {len(content)}\r\n{close}\r\n"
        )
        transport.write(head.encode("latin-1") + content)
        if not self.keep_alive or _server.close:
            transport.close()
        self._observer.observe(status.value, time.perf_counter() - self._started)
        protocol.on_response_complete()
