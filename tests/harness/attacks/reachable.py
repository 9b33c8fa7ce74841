"""What a container can connect to that is on one network of the stack only."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.harness.stack.containers import Container

_LISTENING = "0A"  # a state in /proc/net/tcp
_PROGRAM = """
import concurrent.futures, json, socket, sys
def is_open(target):
    try:
        socket.create_connection(target, timeout=3).close()
    except OSError:
        return False
    return True
targets = [tuple(target) for target in json.load(sys.stdin)]
with concurrent.futures.ThreadPoolExecutor(32) as pool:
    print(json.dumps([target for target, opened in zip(targets, pool.map(is_open, targets)) if opened]))
"""
Target = tuple[str, int]


def listening_ports(container: Container) -> set[int]:
    """Return every TCP port that something in the container listens at, whatever its addresses."""
    tables = [Path(f"/proc/{container.inspected['State']['Pid']}/net/{table}") for table in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == _LISTENING}


def targets(container: Container) -> set[Target]:
    """Return its listening ports at every address that it has, and at every name."""
    networks = container.inspected["NetworkSettings"]["Networks"].values()
    hosts = {container.service, container.id[:12], *(str(network["IPAddress"]) for network in networks)}
    return {(host, port) for host in hosts for port in listening_ports(container)}


def reachable(network: str, image: str, tried: set[Target]) -> set[Target]:
    """Return those that a new container, on this network alone, can connect to; `image` has a Python."""
    command = [
        "docker",
        "run",
        "--rm",
        "--interactive",
        "--network",
        network,
        "--entrypoint",
        "python",
        image,
    ]
    done = subprocess.run(
        [*command, "-c", _PROGRAM],
        input=json.dumps(sorted(tried)),
        capture_output=True,
        text=True,
        check=True,
    )
    return {(host, port) for host, port in json.loads(done.stdout)}
