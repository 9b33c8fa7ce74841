"""Exit 0 if a server on this machine answers 200, 1 otherwise: `python -I -S healthcheck.py PORT [PATH]`.

Containers run it every few seconds, so its start must be cheap: it imports the C module `_socket`, which
takes half the time of `socket` and a quarter of `http.client`. It waits for an answer at most 2 s.
"""

from __future__ import annotations

import sys
from _socket import AF_INET, SOCK_STREAM, socket

_SECONDS_PER_STEP = 1.0


def answers_ok(port: int, path: str) -> bool:
    """Return whether GET `path` on 127.0.0.1:`port` is answered with status 200 in time."""
    connection = socket(AF_INET, SOCK_STREAM)
    connection.settimeout(_SECONDS_PER_STEP)
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
    sys.exit(0 if answers_ok(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "/health") else 1)
