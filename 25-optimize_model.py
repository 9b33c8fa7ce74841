"""Step 25 (optional): search for a better model by cross-validation; the quality gate decides on it."""

from __future__ import annotations

import logging

from mlstack.registry.opening import open_model_store
from mlstack.runtime.settings import env, env_float, read_url
from mlstack.runtime.step import run_step
from mlstack.training.config import read_training_config
from mlstack.tuning.candidates import read_candidates
from mlstack.tuning.search import Gate, optimize

logger = logging.getLogger(__name__)


def main() -> None:
    """Compare the candidates, publish the best and evaluate it, unless the same search was done before."""
    store, name = open_model_store(), env("DATA_TABLE", "linear_data")
    gate = Gate(read_url("DATABASE_URL"), env_float("EVALUATE_TOLERANCE", 0.05))
    seconds = env_float("OPTIMIZE_SECONDS", 60.0, minimum=0.1)
    found, new = optimize(store, name, read_candidates(read_training_config()), seconds, gate)
    if not new:
        event = "nothing to do: these candidates were already compared on these data"
    elif not found.scores:
        event = "the configured model stays: no candidate finished in time, raise OPTIMIZE_SECONDS"
    elif found.model_version is None:
        event = "the configured model stays: none is better by more than a standard error"
    else:
        event = f"the better candidate was {found.verdict}"
    about = {"estimator": found.estimator, "parameters": found.parameters, "reason": found.reason}
    logger.info(event, extra=about | {"model_version": found.model_version})


if __name__ == "__main__":
    run_step("model-optimize", main)
