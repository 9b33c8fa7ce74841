"""Requests as a client of both servers may send them."""

from __future__ import annotations

import numpy as np

from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until


def send_traffic(stack: Stack) -> None:
    """Send requests within the training range, some of them twice, as predictions and jobs, and bad ones."""
    wait_until(lambda: _submit_job(stack) == 202, what="the api to find RabbitMQ")
    random = np.random.default_rng(667)
    for _ in range(3):
        for value in random.uniform(0, 20, 100).round(1):
            assert stack.api.post("/predict", json={"features": [value]}).status_code == 200
        assert stack.serve.post("/predict", json={"values": [5]}).status_code == 200
        assert stack.api.post("/predict", json={"features": "five"}).status_code == 422
        assert stack.serve.get("/data/sample").status_code == 200
        assert _submit_job(stack) == 202


def _submit_job(stack: Stack) -> int:
    return stack.api.post("/jobs", json={"features": [5.0]}).status_code
