"""Exit 0 if a server on this machine answers 200, 1 otherwise: `python -I -S healthcheck.py PORT [PATH]`.

A container engine runs it again and again, and starting a process in a container costs far more than a
request. So once the server was found healthy, a run watches it for some seconds, and ends early if it no
longer answers; the first run ends with the first good answer. It asks again for up to 2 s before it gives
up, so that a server that is starting is found healthy at once and not at the next interval. It imports the
C module `_socket`, which takes half the time of `socket` and a quarter of `http.client`.
"""

from __future__ import annotations

import sys
from _socket import AF_INET, SOCK_STREAM, socket
from posix import O_CREAT, O_EXCL, close, environ  # what `os` has, without importing it
from posix import open as open_file
from time import monotonic, sleep

_SECONDS, _SECONDS_PER_STEP = 2.0, 1.0
_PAUSE = 0.1
_WATCH_SECONDS, _WATCH_PAUSE = 4.0, 1.0
LONGEST = _WATCH_SECONDS + _WATCH_PAUSE + 2 * _SECONDS  # of a run: the engine's time-out must be longer


def watch(port: int, path: str) -> bool:
    """Return whether the server answers; if an earlier run found that it does, ask on for some seconds."""
    if not answers_ok_in_time(port, path):
        return False
    if not _seen_before(port):
        return True
    end = monotonic() + _WATCH_SECONDS
    while monotonic() < end:
        sleep(_WATCH_PAUSE)
        if not answers_ok_in_time(port, path):
            return False
    return True


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


def _seen_before(port: int) -> bool:
    """Return whether an earlier run left its mark, and leave one; /tmp is new whenever a container starts."""
    mark = environ.get(b"TMPDIR", b"/tmp") + b"/healthy-%d" % port
    try:
        close(open_file(mark, O_CREAT | O_EXCL, 0o600))
    except FileExistsError:
        return True
    except OSError:  # full: without the mark each run is a short one
        pass
    return False


if __name__ == "__main__":
    sys.exit(0 if watch(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "/health") else 1)
