"""FastAPI with a scikit-learn model, and nothing else: no cache, no log, no metrics."""

from __future__ import annotations

import os

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load(os.environ["MODEL_PATH"])
MIXED = "BENCH_BODY" in os.environ  # rows of several columns


class PredictRequest(BaseModel):
    """One row."""

    features: list[float | str]


class PredictResponse(BaseModel):
    """The row's prediction."""

    prediction: float | str


@app.post("/predict")
async def predict(request: PredictRequest) -> PredictResponse:
    """Predict one row."""
    rows = np.array([request.features], dtype=object) if MIXED else [request.features]
    return PredictResponse(prediction=model.predict(rows)[0])
