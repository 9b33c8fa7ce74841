"""Many connections that are opened and never finished."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.harness.stack.waiting import wait_until

_OURS = 500  # files that the test itself has open


def openable(wanted: int) -> int:
    """Return how many connections this process may open, with as many files as the machine allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return min(wanted, most - _OURS)


@contextmanager
def held(
    address: tuple[str, int], count: int, data: bytes = b"", unread: bool = False
) -> Iterator[list[socket.socket]]:
    """Hold so many connections that have sent `data` each; `unread` ones have room for hardly any answer."""
    with ExitStack() as opened:
        made = []
        for _ in range(count):
            connection = opened.enter_context(socket.socket())
            if unread:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(60)
            connection.connect(address)
            connection.sendall(data)
            connection.setblocking(False)
            made.append(connection)
        yield made


def await_closed(connections: list[socket.socket], seconds: float, sending: bytes = b"") -> None:
    """Return when the server has closed all of them, unread as they are; go on `sending` meanwhile."""
    waiting = list(connections)

    def all_closed() -> bool:
        waiting[:] = [connection for connection in waiting if not _is_closed(connection, sending)]
        return not waiting

    wait_until(all_closed, seconds, "stalled connections to be closed")


def _is_closed(connection: socket.socket, sending: bytes) -> bool:
    """An error of a socket is told once, so a connection that is closed must not be asked again."""
    try:
        connection.send(sending)
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return bool(connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    except (BrokenPipeError, ConnectionResetError):
        return True
