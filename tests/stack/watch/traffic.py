"""Requests as a client of both servers may send them."""

from __future__ import annotations

import numpy as np

from tests.stack.compose import Stack


def send_traffic(stack: Stack) -> None:
    """Ask for what the model was trained on, some of it twice, and make a mistake or two."""
    random = np.random.default_rng(667)
    for _ in range(3):
        for value in random.uniform(0, 20, 100).round(1):
            assert stack.api.post("/predict", json={"features": [value]}).status_code == 200
        assert stack.serve.post("/predict", json={"values": [5]}).status_code == 200
        assert stack.api.post("/predict", json={"features": "five"}).status_code == 422
        assert stack.serve.get("/data/sample").status_code == 200
