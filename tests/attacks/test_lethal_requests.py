"""A request that ends the replica it reaches is handed to one more at most, so the others go on serving."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator

import httpx
import pytest

from tests.harness.attacks.exchanges import assert_problem
from tests.harness.stack.compose import Stack, terminal_environment
from tests.harness.stack.containers import raw_logs
from tests.harness.stack.waiting import wait_until

REPLICAS = 5
FILES = "docker-compose.yaml:tests/attacks/replicas-that-die.yaml"
_MARK = b"received the lethal request"


@pytest.fixture(scope="module")
def mortal() -> Iterator[Stack]:
    """The front door alone, in a project and at a port of its own, with replicas that die of a request."""
    plain = terminal_environment()
    changed = {"COMPOSE_FILE": FILES, "API_PORT": "0", "SERVE_PORT": "0"}
    stack = Stack(plain | changed | {"COMPOSE_PROJECT_NAME": plain["COMPOSE_PROJECT_NAME"] + "-mortal"})
    try:
        stack.compose("up", "--detach", "--wait", "--no-deps", "--scale", f"api={REPLICAS}", "nginx", "api")
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "2", check=False)


@pytest.fixture
def url(mortal: Stack) -> str:
    """The front door's own address, with kept connections to every replica, which are healthy."""
    wait_until(lambda: all(each.health == "healthy" for each in mortal.containers("api")), 60, "replicas")
    address = f"http://{mortal.container('nginx').address}:8000"
    wait_until(lambda: httpx.get(address, trust_env=False).status_code == 200, 20, "nginx to know them")
    for _ in range(2 * REPLICAS):
        assert httpx.post(address, trust_env=False).status_code == 200
    return address


def deaths(stack: Stack) -> int:
    """Return how often a replica has received the request by now."""
    return raw_logs(stack.containers("api")).count(_MARK)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_lethal_request_reaches_two_replicas_at_most(mortal: Stack, url: str, method: str) -> None:
    before = deaths(mortal)

    answer = httpx.request(method, f"{url}/lethal", trust_env=False, timeout=30)

    assert_problem(answer, 503)
    assert answer.headers["retry-after"] == "1"
    assert deaths(mortal) - before == 2


def test_other_clients_are_served_all_the_time(url: str) -> None:
    """Each of their requests is asked again elsewhere when it was in the hands of a replica that ends."""
    with (
        concurrent.futures.ThreadPoolExecutor(5) as pool,
        httpx.Client(trust_env=False, timeout=30) as client,
    ):
        lethal = pool.submit(httpx.post, f"{url}/lethal", trust_env=False, timeout=30)
        statuses = [client.post(url).status_code for _ in range(100)]
        assert lethal.result().status_code == 503
        after = [client.post(url).status_code for _ in range(100)]

    assert set(statuses) == {200}
    assert set(after) == {200}


def test_what_is_left_of_the_replicas_answers_when_several_are_gone(mortal: Stack, url: str) -> None:
    """Connections that are refused cost nothing: two replicas are down, and no request is lost."""
    for container in mortal.containers("api")[:2]:
        container.kill()

    statuses = [httpx.request(method, url, trust_env=False).status_code for method in ("GET", "POST") * 25]

    assert set(statuses) == {200}
