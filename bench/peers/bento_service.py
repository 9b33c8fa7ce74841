"""BentoML's services: a route with NumPy arrays in and out, without and with its adaptive batching."""

from __future__ import annotations

import os

import bentoml
import joblib
import numpy as np
import numpy.typing as npt


@bentoml.service(workers=1)
class Line:
    """Each request is predicted by itself."""

    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL_PATH"])

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Predict rows [n, 1]."""
        return self.model.predict(rows)  # type: ignore[no-any-return]


@bentoml.service(workers=1)
class BatchedLine:
    """Requests that arrive together are predicted together."""

    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL_PATH"])

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)  # type: ignore[untyped-decorator]
    def predict(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Predict rows [n, 1]."""
        return self.model.predict(rows)  # type: ignore[no-any-return]
