"""Step 05: validate the training table; with faults, log one line per fault and exit with 1."""

from __future__ import annotations

import logging
from dataclasses import asdict

from mlstack.data.database import connected
from mlstack.data.validation import find_problems, read_expectations
from mlstack.registry.opening import open_model_store
from mlstack.runtime.refusals import DataRefused
from mlstack.runtime.settings import read_url
from mlstack.runtime.step import run_step

logger = logging.getLogger(__name__)


def main() -> None:
    """Check the table, and its columns by the served version's; raise DataRefused with a line per fault."""
    expected, store = read_expectations(), open_model_store()
    with connected(read_url("DATABASE_URL")) as connection:
        findings = find_problems(connection, expected, store)
    if findings:
        raise DataRefused(*findings)
    logger.info("the data are valid", extra={"checked": asdict(expected)})


if __name__ == "__main__":
    run_step("data-validate", main)
