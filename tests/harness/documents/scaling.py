"""`docker-compose up --scale model-serve=3`: three share the load, and one may be killed."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.harness.stack.compose import Stack
from tests.harness.stack.kept_load import Load
from tests.harness.stack.replicas import answered_by, await_replicas
from tests.harness.stack.waiting import wait_until

_PORT = 5000


def three_replicas(stack: Stack, _output: str) -> None:
    """Requests are spread; one replica is killed under load, no request fails, and it comes back."""
    await_replicas(stack, "model-serve", 3, _PORT)
    victim = stack.containers("model-serve")[0]
    began = datetime.now(UTC)

    with Load(f"http://localhost:{stack.port('SERVE_PORT')}/predict", {"values": [5]}) as load:
        load.wait_for(200)
        victim.kill()
        load.wait_for(200)

    load.assert_all_answered()
    shares = answered_by(stack, began, _PORT, len(load.answers))
    assert set(shares) == {each.address for each in stack.containers("model-serve")} | {victim.address}
    assert min(shares.values()) > 0.05 * shares.total()
    wait_until(lambda: {each.health for each in stack.containers("model-serve")} == {"healthy"}, 30)
