"""A container that is on the front network only, such as nginx, reaches the servers and no store."""

from __future__ import annotations

import subprocess

from tests.harness.attacks.reachable import listening_ports, reachable, targets
from tests.harness.stack.compose import Stack

STORES = {"database": 5432, "postgres": 5432, "redis": 6379}
FRONT = {("nginx", 8000), ("nginx", 5000), ("api", 8000), ("model-serve", 5000), ("prometheus", 9090)}


def _from_front(stack: Stack, tried: set[tuple[str, int]]) -> set[tuple[str, int]]:
    image = str(stack.containers("model-serve")[0].inspected["Image"])
    return reachable(f"{stack.project}_ml-network", image, tried)


def test_no_store_is_reached_from_the_front_network(stack: Stack) -> None:
    """By no name and no address, at no port that it listens at; the servers are reached in the same way."""
    stores = [stack.container(name) for name in STORES]
    assert all(STORES[store.service] in listening_ports(store) for store in stores)

    reached = _from_front(stack, FRONT.union(*map(targets, stores)))

    assert reached == FRONT


def test_debug_ports_are_those_of_loopback_only(stack: Stack) -> None:
    """Not at the addresses that this machine has on the stack's networks."""
    networks = [f"{stack.project}_{name}" for name in ("ml-network", "stores", "debug-ports")]
    gateways = _docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", *networks).split()
    ports = [stack.port(name) for name in ("DATABASE_PORT", "POSTGRES_PORT", "REDIS_PORT")]
    front = {(gateways[0], stack.port("API_PORT"))}

    reached = _from_front(stack, front | {(gateway, port) for gateway in gateways for port in ports})

    assert reached <= front


def test_only_stores_are_on_the_network_of_the_debug_ports(stack: Stack) -> None:
    names = _docker(
        "network", "inspect", "-f", "{{range .Containers}}{{.Name}} {{end}}", f"{stack.project}_debug-ports"
    ).split()

    assert {name.removeprefix(f"{stack.project}-").rpartition("-")[0] for name in names} == set(STORES)


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout
