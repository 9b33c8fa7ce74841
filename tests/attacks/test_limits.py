"""What one address may ask for at once is bounded, and a busy client is well within the bound.

Others' requests come from another address: from the container of Prometheus.
"""

from __future__ import annotations

from contextlib import ExitStack

import httpx
import pytest

from tests.harness.attacks.aftermath import Aftermath
from tests.harness.attacks.exchanges import assert_problem, prediction
from tests.harness.attacks.held import held
from tests.harness.processes.raw_http import connected
from tests.harness.stack.compose import Stack, settings
from tests.harness.stack.waiting import wait_until

LARGE = b'{"values": [5]}'.ljust(int(settings()["MAX_BODY_BYTES"]))
SMALL = b'{"values": [5]}'
JSON = {"content-type": "application/json"}
BOUNDED = {  # the setting, and a request that counts
    "requests": ("REQUESTS_PER_ADDRESS", SMALL),
    "large bodies": ("LARGE_BODIES_PER_ADDRESS", LARGE),
}


@pytest.mark.parametrize("kind", BOUNDED)
@pytest.mark.parametrize("port", [8000, 5000])
def test_one_address_gets_so_much_at_once_and_others_are_served(stack: Stack, port: int, kind: str) -> None:
    setting, body = BOUNDED[kind]
    address = (stack.container("nginx").address, port)
    url = f"http://{address[0]}:{port}/predict"

    def refusal() -> httpx.Response | None:
        answer = httpx.post(url, content=body, headers=JSON, trust_env=False)
        return answer if answer.status_code == 429 else None

    # A few more than may be: of those that came before, some may not have been forgotten yet.
    with held(address, int(settings()[setting]) + 50, prediction(body)[:-1]):
        refused = wait_until(refusal, 10, "a refusal")
        ask = (
            "wget",
            "-q",
            "-O",
            "-",
            "--header",
            "Content-Type: application/json",
            "--post-data",
            SMALL.decode(),
        )
        other = stack.compose("exec", "-T", "prometheus", *ask, f"http://nginx:{port}/predict").stdout
    assert refused is not None
    assert "one address" in assert_problem(refused, 429)
    assert refused.headers["retry-after"] == "1"
    assert '"predictions"' in other
    wait_until(lambda: refusal() is None, 30, "the limit to be free again")


def test_256_connections_of_one_address_are_no_attack(stack: Stack, aftermath: Aftermath) -> None:
    """What a load balancer or a load generator opens: every request is answered."""
    with ExitStack() as opened:
        clients = [opened.enter_context(connected(stack.port("API_PORT"))) for _ in range(256)]
        for client in clients:
            client.send(prediction())
        answers = [client.receive() for client in clients]

    assert [answer.body for answer in answers if answer.status != 200] == []
    aftermath.acknowledged += [answer.body["id"] for answer in answers]
