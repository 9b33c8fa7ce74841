"""What the most costly bodies of MAX_BODY_BYTES cost both servers: python -m bench.bodies.

Processor time of one request. All other clients of the api wait for what its event loop takes of it, which is
the first thread; other threads yield to it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench import machine
from tests.harness.processes.inference import stores, undisturbed
from tests.harness.processes.serving import ServingProcess, publish_line, serving

BYTES = 1 << 20  # MAX_BODY_BYTES
_TIMES = 5
_JSON = {"content-type": "application/json"}


def filled(item: bytes, head: bytes = b'{"values": [', tail: bytes = b"]}") -> bytes:
    """Return a body of BYTES of this item, over and over."""
    count = (BYTES - len(head) - len(tail)) // (len(item) + 1)
    return head + b",".join([item] * count) + tail


BODIES = {
    "10,000 rows": b'{"values": [' + b",".join([b"0.1234567890123456"] * 10_000) + b"]}",
    "numbers of one digit": filled(b"1"),
    "the same, cut off": filled(b"1", tail=b""),
    "the same, a string last": filled(b"1", tail=b',""]}'),
    "the same, in one row": filled(b"1", b'{"values": [[', b"]]}"),
    "10,000 rows of 50, one of 2": b'{"values": [' + (b"[" + b"1," * 49 + b"1],") * 9_999 + b"[1,2]]}",
    "1e308": filled(b"1e308"),
    "1e-310": filled(b"1e-310"),
    "5e-324": filled(b"5e-324"),
    "1e23": filled(b"1e23"),
    "1e-310 in one row": filled(b"1e-310", b'{"values": [[', b"]]}"),
    "halfway between two float64": filled(b"2.4703282292062327e-324"),
    "310 zeros behind the point": filled(b"0." + b"0" * 310 + b"1"),
    "whole numbers of 300 digits": filled(b"9" * 300),
    "whole numbers of 4,000 digits": filled(b"9" * 4_000),
    "a fraction of a million digits": b'{"values": [0.' + b"9" * 1_000_000 + b"]}",
    "members that are not asked for": filled(b'"":0', b"{", b"}"),
    "the same member again and again": filled(b'"values":[1,1,1,1,1,1,1,1]', b"{", b"}"),
    "a string of escapes": b'{"values": ["' + b"\\u0041" * 170_000 + b'"]}',
    "open objects": b'{"values":' * (BYTES // 10),
}


def processor_seconds(server: ServingProcess, threads: str = "*") -> float:
    """Return what the process and its children have used so far, or only some threads of the process."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if threads == "*" else []
    files = [
        file for one in (pid, *children) for file in Path("/proc").glob(f"{one}/task/{threads}/schedstat")
    ]
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9


def measure(server: ServingProcess, body: bytes) -> tuple[int, float, float]:
    """Return the status, and medians of the processor time of one request: of all threads, of the first."""
    first = str(server.process.pid)
    all_threads, one_thread = [], []
    for _ in range(_TIMES):
        before = processor_seconds(server), processor_seconds(server, first)
        answer = server.client.post("/predict", content=body, headers=_JSON)
        all_threads.append(processor_seconds(server) - before[0])
        one_thread.append(processor_seconds(server, first) - before[1])
    return answer.status_code, median(all_threads), median(one_thread)


@contextmanager
def servers() -> Iterator[tuple[ServingProcess, ServingProcess]]:
    """Start both servers with the settings they ship with."""
    with tempfile.TemporaryDirectory() as directory, stores() as real_stores:
        root = Path(directory)
        publish_line(root / "models", 2.0)
        with (
            undisturbed(root / "models", root / "api.log", real_stores) as api,
            serving(root / "models", root / "serve.log") as flask,
        ):
            yield api, flask


def main(write: Callable[[str], object] = sys.stdout.write) -> None:
    """Print one line for each body."""
    write(f"{machine.hardware()}; milliseconds of processor time\n\n")
    write("| body of 1 MiB | status | api: event loop | api: all threads | model-serve |\n")
    write("| --- | --- | --- | --- | --- |\n")
    with servers() as (api, flask):
        for name, body in BODIES.items():
            status, used, held = measure(api, body)
            flask_status, flask_used, _ = measure(flask, body)
            assert flask_status == status, (name, status, flask_status)
            write(f"| {name} | {status} | {held * 1e3:.0f} | {used * 1e3:.0f} | {flask_used * 1e3:.0f} |\n")


if __name__ == "__main__":
    main()
