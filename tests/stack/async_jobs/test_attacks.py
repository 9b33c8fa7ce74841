"""Attacks on what the profile adds: the broker from the front network, and readers that never finish."""

from __future__ import annotations

from tests.harness.attacks.held import held
from tests.harness.attacks.reachable import listening_ports, reachable, targets
from tests.harness.jobs.client import Jobs
from tests.harness.processes.crowd import ask_at_once

READERS = 500
ROWS = 10_000


def test_the_broker_is_not_reached_from_the_front_network(jobs: Jobs) -> None:
    """By no name and no address, at no port that it listens at; the worker is reached in the same way."""
    (broker,), (worker,) = (jobs.stack.containers(name) for name in ("rabbitmq", "worker"))
    image = str(jobs.stack.containers("model-serve")[0].inspected["Image"])
    known = {("api", 8000), (worker.address, 8001)}
    assert 5672 in listening_ports(broker)

    reached = reachable(f"{jobs.stack.project}_ml-network", image, known | targets(broker))

    assert reached == known


def test_readers_of_a_large_job_that_do_not_read_refuse_no_other(jobs: Jobs) -> None:
    """Five hundred through nginx; then as many at once that do read, of which none fails."""
    address = (jobs.stack.container("nginx").address, 8000)
    before = {each.id: each.started for name in ("nginx", "api") for each in jobs.stack.containers(name)}
    location = jobs.submit(*map(float, range(ROWS))).headers["location"]
    assert jobs.result(location)["state"] == "completed"
    asked = f"GET {location} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    with held(address, READERS, asked, unread=True):
        for number in range(5):
            small = jobs.submit(float(number)).headers["location"]
            assert jobs.result(small, 10)["state"] == "completed"
            answer = jobs.stack.api.post("/predict", json={"values": [5]})
            assert answer.status_code == 200
    statuses = ask_at_once(jobs.stack.port("API_PORT"), [asked] * READERS)

    assert statuses == {200: READERS}
    now = {each.id: each.started for name in ("nginx", "api") for each in jobs.stack.containers(name)}
    assert now == before
