"""HTTP byte by byte: what a client sends, in which pieces, and what comes back in which order."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from typing import Any

JSON = "Content-Type: application/json"


def request(body: object, *headers: str, path: str = "/predict") -> bytes:
    """Return a POST with these header lines and `body` as JSON, or as it is if it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: test", *(headers or (JSON,)), f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass
class Response:
    """A whole response; header names in the order in which they came."""

    status: int
    headers: list[tuple[str, str]]
    content: bytes

    @property
    def body(self) -> Any:
        """The content as JSON."""
        return json.loads(self.content)

    @property
    def names(self) -> list[str]:
        """The names of the headers."""
        return [name for name, _ in self.headers]

    def header(self, name: str) -> str | None:
        """Return the value of a header."""
        return dict(self.headers).get(name)


class RawConnection:
    """One connection to a server on this machine."""

    def __init__(self, connection: socket.socket, reader: BufferedReader) -> None:
        """Both are of the same connection."""
        self._connection = connection
        self._reader = reader

    def send(self, data: bytes) -> None:
        """Send it as one piece."""
        self._connection.sendall(data)

    def send_pieces(self, *pieces: bytes) -> None:
        """Send the pieces so that the server reads them one after the other."""
        for piece in pieces:
            self._connection.sendall(piece)
            time.sleep(0.003)  # the kernel would hand over what comes at once as one piece

    def receive(self) -> Response:
        """Read the next response."""
        status = int(self._reader.readline().split()[1])
        headers = []
        while line := self._reader.readline().strip():
            name, _, value = line.decode().partition(":")
            headers.append((name.lower(), value.strip()))
        length = int(dict(headers).get("content-length", "0"))
        return Response(status, headers, self._reader.read(length))

    def receive_all(self) -> list[Response]:
        """Read responses until the server closes the connection."""
        found = []
        while self._reader.peek(1):
            found.append(self.receive())
        return found

    def ask(self, data: bytes) -> Response:
        """Send a request in one piece and read its response."""
        self.send(data)
        return self.receive()

    def is_closed(self) -> bool:
        """Return whether the server has closed the connection, waiting for up to five seconds."""
        self._connection.settimeout(5)
        return self._reader.read(1) == b""


@contextmanager
def connected(port: int, tls: ssl.SSLContext | None = None) -> Iterator[RawConnection]:
    """Open a connection without Nagle's delay, encrypted if `tls` says how."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secured = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        with secured as connection, connection.makefile("rb") as reader:
            yield RawConnection(connection, reader)
