"""LitServe: one worker on the CPU, without batches or with them. Arguments: port, rows a batch may have."""

from __future__ import annotations

import os
import sys
from typing import Any

import joblib
import litserve
import numpy as np


class Line(litserve.LitAPI):  # type: ignore[misc]
    """Predicts one row a request."""

    def setup(self, device: str) -> None:  # noqa: ARG002
        """Load the model."""
        self.model = joblib.load(os.environ["MODEL_PATH"])

    def decode_request(self, request):  # type: ignore[no-untyped-def]
        """Return the row [k]; with a type LitServe would let pydantic parse the request."""
        return request["features"]

    def predict(self, x: Any) -> Any:
        """Predict a row [k], or a batch of them [n, k]."""
        return self.model.predict(np.array(x, ndmin=2))

    def unbatch(self, output: Any) -> list[Any]:
        """Return an array for each request of a batch."""
        return [output[n : n + 1] for n in range(len(output))]

    def encode_response(self, output: Any) -> dict[str, float]:
        """Return the answer."""
        return {"prediction": float(output[0])}


if __name__ == "__main__":
    port, batch = int(sys.argv[1]), int(sys.argv[2])
    server = litserve.LitServer(
        Line(max_batch_size=batch), accelerator="cpu", workers_per_device=1, fast_queue=batch > 1
    )
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)
