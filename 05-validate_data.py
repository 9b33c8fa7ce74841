"""Step 05: refuse data that no model should be trained on, one line per finding."""

from __future__ import annotations

import logging
from dataclasses import asdict

from pipeline.database import connected
from pipeline.refusals import DataRefused
from pipeline.settings import read_url
from pipeline.step import run_step
from pipeline.validation import find_problems, read_expectations

log = logging.getLogger("05-validate_data")


def main() -> None:
    """Let the table pass, or refuse it."""
    expected = read_expectations()
    with connected(read_url("DATABASE_URL")) as connection:
        findings = find_problems(connection, expected)
    if findings:
        raise DataRefused(*findings)
    log.info("the data are fit for training", extra={"checked": asdict(expected)})


if __name__ == "__main__":
    run_step("data-validate", main)
