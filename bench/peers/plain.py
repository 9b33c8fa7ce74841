"""FastAPI with a scikit-learn model, and nothing else: no cache, no log, no metrics."""

from __future__ import annotations

import os

import joblib
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load(os.environ["MODEL_PATH"])


class PredictRequest(BaseModel):
    """One row."""

    features: list[float]


class PredictResponse(BaseModel):
    """The row's prediction."""

    prediction: float


@app.post("/predict")
async def predict(request: PredictRequest) -> PredictResponse:
    """Predict one row."""
    return PredictResponse(prediction=float(model.predict([request.features])[0]))
