"""Requests as a client of both servers may send them."""

from __future__ import annotations

import numpy as np

from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until


def send_traffic(stack: Stack) -> None:
    """Send requests within the training range, some of them twice, as predictions and jobs, and bad ones.

    Afterwards some of the predictions have a true value.
    """
    wait_until(lambda: _submit_job(stack) == 202, what="the api to find RabbitMQ")
    random = np.random.default_rng(667)
    for _ in range(3):
        answers = [
            stack.api.post("/predict", json={"features": [value]})
            for value in random.uniform(0, 20, 100).round(1)
        ]
        assert {answer.status_code for answer in answers} == {200}
        found = [answer.json() for answer in answers]
        truths = [{"id": each["id"], "actual": each["predictions"]} for each in found]
        assert stack.api.post("/feedback", json=truths).json()["accepted"] == len(truths)
        assert stack.serve.post("/predict", json={"values": [5]}).status_code == 200
        assert stack.api.post("/predict", json={"features": "five"}).status_code == 422
        assert stack.serve.get("/data/sample").status_code == 200
        assert _submit_job(stack) == 202


def _submit_job(stack: Stack) -> int:
    return stack.api.post("/jobs", json={"features": [5.0]}).status_code
