"""Liveness, readiness and health of the replica."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from mlstack.serving.training_data import TrainingData
from mlstack.web.problems import Unavailable
from mlstack.web.served_models import ServedModels


@dataclass(frozen=True)
class Health:
    """Answers the three probes of one replica."""

    models: ServedModels
    data: TrainingData
    draining: threading.Event

    def check_ready(self) -> int:
        """Return the current version; raise Unavailable without a model or while draining."""
        if self.draining.is_set():
            raise Unavailable("the server is draining: it accepts no new requests")
        return self.models.select(None).version

    def report(self) -> tuple[int, dict[str, object]]:
        """Return status code and report in less than half a second.

        Predictions need no database: without one the server is degraded, without a model it is unhealthy.
        """
        current = self.models.current
        model, refusal, database = current.get(), current.refusal, self.data.is_up()
        status = "healthy" if database and refusal is None else "degraded"
        report: dict[str, object] = {
            "status": "unhealthy" if model is None else status,
            "database": "connected" if database else "unreachable",
            "model": "not loaded" if model is None else "loaded",
            "model_version": None if model is None else model.version,
        }
        if refusal is not None:
            report["model_refused"] = refusal
        return (503 if model is None else 200), report
