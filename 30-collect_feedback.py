"""Step 30 (optional): collect the true values that clients have sent, as rows to train on."""

from __future__ import annotations

import logging

from mlstack.data.database import connected
from mlstack.live.collection import collect
from mlstack.live.known_manifests import KnownManifests
from mlstack.live.training_table import read_collection
from mlstack.registry.opening import open_model_store
from mlstack.runtime.settings import read_url
from mlstack.runtime.step import run_step

logger = logging.getLogger(__name__)


def main() -> None:
    """Add what is new or corrected since the last run."""
    collection = read_collection()
    known = KnownManifests(open_model_store())
    with connected(read_url("LOG_DATABASE_URL")) as log, connected(read_url("DATABASE_URL")) as training:
        done = collect(log, training, collection, known)
    event = "collected" if done.rows else "nothing to do: no true value is new"
    about = {"table": collection.table, "rows": done.rows, "train_on": collection.both}
    left_out = {"predictions_of_other_columns": done.other_columns, "unusable_true_values": done.unusable}
    logger.info(event, extra=about | left_out)


if __name__ == "__main__":
    run_step("collect-feedback", main)
