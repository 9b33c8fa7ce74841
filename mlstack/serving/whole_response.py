"""gunicorn's response, with its head and its body in one system call.

gunicorn itself sends the head first. A process that is killed between the two leaves nginx, and so the
client, with a head and no body, and after a head nginx cannot ask another replica.
"""

from __future__ import annotations

from typing import Any

from gunicorn import util
from gunicorn.http.wsgi import Response


class WholeResponse(Response):  # type: ignore[misc]
    """Holds the head until there is something to send with it."""

    headers_sent: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Hold nothing yet."""
        super().__init__(*args, **kwargs)
        self._head = b""

    def send_headers(self) -> None:
        """Hold the head; it counts as sent, so that nothing can be changed about it."""
        if self.headers_sent:
            return
        lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers), "\r\n"]
        self._head = "".join(lines).encode("latin-1")
        self.headers_sent = True

    def can_sendfile(self) -> bool:
        """Return False: a file is read and sent as every other body."""
        return False

    def close(self) -> None:
        """Send a head that has no body, and the end of one in chunks."""
        self.send_headers()
        self._send_head()
        super().close()

    def _emit_body(self, data: bytes) -> None:
        if self.chunked:  # of unknown length: not what the routes of a prediction answer
            self._send_head()
            super()._emit_body(data)
            return
        head, self._head = self._head, b""
        util.write(self.sock, head + data)

    def _send_head(self) -> None:
        head, self._head = self._head, b""
        if head:
            util.write(self.sock, head)
