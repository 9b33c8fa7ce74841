"""Step 20: the quality gate. Promotes the latest version, or rejects it and exits with 1."""

from __future__ import annotations

import logging

from mlstack.evaluation.quality_gate import evaluate, pending_version, rejection_message
from mlstack.registry.opening import open_model_store
from mlstack.runtime.refusals import QualityGateFailed
from mlstack.runtime.settings import env_float, read_url
from mlstack.runtime.step import run_step

logger = logging.getLogger(__name__)


def main() -> None:
    """Evaluate the latest version, write its report, then promote or reject it."""
    store, tolerance = open_model_store(), env_float("EVALUATE_TOLERANCE", 0.05)
    version = pending_version(store)
    if version is None:
        logger.info("nothing to do: the version is current", extra={"model_version": store.current()})
        return
    evaluation = evaluate(store, version, read_url("DATABASE_URL"), tolerance)
    if evaluation.verdict == "rejected":
        raise QualityGateFailed(rejection_message(version, evaluation.reason, store.current()))
    logger.info("promoted", extra={"model_version": version, "evaluation": evaluation})


if __name__ == "__main__":
    run_step("model-evaluate", main)
