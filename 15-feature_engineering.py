"""Step 15 (optional): write a table with derived columns such as squares and products.

It runs between validation and training, so that training can use it (TRAIN_TABLE).
"""

from __future__ import annotations

import logging

from mlstack.data.database import connected
from mlstack.features.table import make_features
from mlstack.features.terms import read_features
from mlstack.runtime.settings import read_url
from mlstack.runtime.step import run_step

logger = logging.getLogger(__name__)

MESSAGES = {"made": "feature table made", "already there": "nothing to do: the feature table is up to date"}


def main() -> None:
    """Create the feature table, unless it is up to date."""
    features = read_features()
    with connected(read_url("DATABASE_URL")) as connection:
        outcome, rows = make_features(connection, features)
    columns = [*(term.name for term in features.terms), features.target]
    logger.info(MESSAGES[outcome], extra={"table": features.table, "rows": rows, "columns": columns})


if __name__ == "__main__":
    run_step("feature-engineering", main)
