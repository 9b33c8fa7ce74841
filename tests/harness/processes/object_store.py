"""A real S3 server, moto's, as a process of the test; and one that ignores the conditions of a put."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from tests.harness.processes.http_server import http_server
from tests.harness.processes.store_process import Server
from tests.harness.processes.stores import free_port, new_directory, running

pytest.importorskip("moto")


@dataclass
class ObjectStore(Server):
    """Keeps its objects in memory: they last as long as the process."""

    host: str = "127.0.0.1"

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    def new_place(self) -> str:
        """Make a bucket; return the URL of a prefix in it."""
        bucket = f"models-{secrets.token_hex(6)}"
        httpx.put(f"{self.endpoint}/{bucket}").raise_for_status()
        return f"s3://{bucket}/ml/stack"


def settings(place: str, endpoint: str, model_dir: Path) -> dict[str, str]:
    """Return the environment of a process that uses a place, with its mirror in `model_dir`."""
    keys = {"MODEL_STORE_ACCESS_KEY": "access", "MODEL_STORE_SECRET_KEY": "secret"}
    return keys | {
        "MODEL_STORE": place,
        "MODEL_STORE_ENDPOINT": endpoint,
        "MODEL_DIR": str(model_dir),
    }


@contextmanager
def object_store(host: str = "127.0.0.1") -> Iterator[ObjectStore]:
    """Run the server until the block ends; `host` is an address of this machine."""
    with new_directory() as directory:
        port = free_port()
        command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", host, "-p", str(port)]
        server = ObjectStore(command, directory, port, lambda: _answers(host, port), host=host)
        with running(server):
            yield server


@contextmanager
def ignoring_conditions(store: ObjectStore) -> Iterator[str]:
    """Give the endpoint of a server that overwrites whatever the condition was, and never says so."""

    class Handler(BaseHTTPRequestHandler):
        def _forward(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            conditions = {"if-none-match", "if-match"} if self.command == "PUT" else set()
            dropped = conditions | {"host", "content-length"}
            headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
            body = self.rfile.read(length)
            answer = httpx.request(self.command, store.endpoint + self.path, headers=headers, content=body)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_PUT = do_DELETE = do_HEAD = do_POST = _forward  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with http_server(Handler) as url:
        yield url


def _answers(host: str, port: int) -> bool:
    try:
        return httpx.get(f"http://{host}:{port}/moto-api/").status_code == 200
    except httpx.TransportError:
        return False
