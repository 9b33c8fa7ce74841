"""The DNS behind the engine's own never answers: a store that is back is found anyway."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import yaml

from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until

_SILENT = """
import socket
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.bind(("", 53))
while True:
    print(asked.recv(512), flush=True)
"""
_RECONNECTED_SECONDS = 5.0
_PILE_UP_SECONDS = 12.0  # for look-ups without an answer to fill whatever they share


@pytest.fixture(scope="module")
def silent(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Have an api whose container's DNS passes names on to a server that is silent."""
    override = tmp_path_factory.mktemp("dns") / "silent-dns.yaml"
    server = {
        "image": f"{stack.project}-api",
        "command": ["python", "-c", _SILENT],
        "networks": ["ml-network"],
        "stop_grace_period": "0s",
    }
    override.write_text(yaml.safe_dump({"services": {"silent-dns": server}}))
    both = Stack(stack.environment | {"COMPOSE_FILE": f"docker-compose.yaml:{override}"})
    try:
        both.compose("up", "--detach", "--no-deps", "silent-dns")
        api = {"dns": [both.container("silent-dns").address]}
        override.write_text(yaml.safe_dump({"services": {"silent-dns": server, "api": api}}))
        both.compose("up", "--detach", "--wait", "--no-deps", "api")
        yield both
    finally:
        both.close_clients()
        stack.compose("up", "--detach", "--wait", "--no-deps", "api")
        both.compose("rm", "--stop", "--force", "silent-dns")


@pytest.mark.parametrize(("service", "key"), [("postgres", "database"), ("redis", "redis")])
def test_a_store_is_found_within_seconds_of_its_return(silent: Stack, service: str, key: str) -> None:
    def state() -> str:
        return str(silent.api.get("/health").json()[key])

    wait_until(lambda: state() == "connected", 20, "the api to be connected")
    silent.compose("stop", "--timeout", "5", service)
    wait_until(lambda: state() == "unreachable", 20, "the api to notice")
    time.sleep(_PILE_UP_SECONDS)
    silent.compose("start", service)
    wait_until(lambda: silent.container(service).health == "healthy", 60, f"{service} to be healthy")
    healthy = time.monotonic()
    wait_until(lambda: state() == "connected", 60, "the api to be connected again", pause=0.1)

    assert time.monotonic() - healthy < _RECONNECTED_SECONDS
    assert service in silent.compose("logs", "silent-dns").stdout, "the api has asked no other DNS"
