"""Exit 0 if a server on this machine answers 200, 1 otherwise: `python -I -S healthcheck.py PORT [PATH]`.

Containers run it every few seconds, so its start must be cheap: it imports the C module `_socket`, which
takes half the time of `socket` and a quarter of `http.client`. It asks again for up to 2 s before it gives
up, so that a server that is starting is found healthy at once and not at the next interval.
"""

from __future__ import annotations

import sys
from _socket import AF_INET, SOCK_STREAM, socket
from time import monotonic, sleep

_SECONDS, _SECONDS_PER_STEP = 2.0, 1.0  # Docker's timeout is 3 s
_PAUSE = 0.1


def answers_ok_in_time(port: int, path: str) -> bool:
    """Return whether GET `path` on 127.0.0.1:`port` is answered with status 200 within 2 s."""
    deadline = monotonic() + _SECONDS
    while not answers_ok(port, path, max(min(_SECONDS_PER_STEP, deadline - monotonic()), _PAUSE)):
        if monotonic() + _PAUSE >= deadline:
            return False
        sleep(_PAUSE)
    return True


def answers_ok(port: int, path: str, seconds: float) -> bool:
    """Return whether one request is answered with status 200; each step may take `seconds`."""
    connection = socket(AF_INET, SOCK_STREAM)
    connection.settimeout(seconds)
    try:
        connection.connect(("127.0.0.1", port))
        connection.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        status = connection.recv(64).split(b" ", 2)
    except OSError:
        return False
    finally:
        connection.close()
    return status[1:2] == [b"200"]


if __name__ == "__main__":
    sys.exit(
        0 if answers_ok_in_time(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "/health") else 1
    )
