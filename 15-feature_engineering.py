"""Step 15 (optional): derive columns such as squares and products, in a table of their own.

It runs between validation and training, so that TRAIN_TABLE can point training at its table.
"""

from __future__ import annotations

import logging

from pipeline.database import connected
from pipeline.feature_terms import read_features
from pipeline.features import make_features
from pipeline.settings import read_url
from pipeline.step import run_step

log = logging.getLogger("15-feature_engineering")

MESSAGES = {"made": "feature table made", "already there": "nothing to do: the feature table is up to date"}


def main() -> None:
    """Leave the feature table up to date."""
    features = read_features()
    with connected(read_url("DATABASE_URL")) as connection:
        outcome, rows = make_features(connection, features)
    columns = [*(term.name for term in features.terms), features.target]
    log.info(MESSAGES[outcome], extra={"table": features.table, "rows": rows, "columns": columns})


if __name__ == "__main__":
    run_step("feature-engineering", main)
