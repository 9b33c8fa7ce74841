"""Thousands of random requests to both servers: refused however they like, never failed at."""

from __future__ import annotations

import os
import secrets

import pytest

from tests.harness.fuzzing.client import SILENT, fuzz, table
from tests.harness.fuzzing.requests import API, SERVE
from tests.harness.processes.serving import ServingProcess

REQUESTS = 3000
# Without the profile async, without the monitor, or without the training data's database, 503 is right.
AWAY = {"/jobs", "/jobs/01890a5d-ac96-774b-bcce-b302099a8057", "/page/drift", "/data/sample"}


@pytest.mark.parametrize(("name", "paths"), [("api", API), ("flask", SERVE)], ids=["api", "flask"])
def test_random_requests_are_never_failed_at(
    request: pytest.FixtureRequest, name: str, paths: list[str]
) -> None:
    """Whatever their path, method, headers, framing and body."""
    server: ServingProcess = request.getfixturevalue(name)
    seed = int(os.environ.get("FUZZ_SEED", "0")) or secrets.randbits(31)

    statuses, failed = fuzz("127.0.0.1", server.port, paths, REQUESTS, seed)

    print(f"seed {seed}\n{table(statuses)}")
    unexpected = [asked for asked in failed if asked.path not in AWAY]
    assert unexpected == [], f"FUZZ_SEED={seed}"
    assert not [
        status for _, _, status in statuses if status == SILENT or status in {500, 501, 502, 504, 505}
    ]
    assert sum(statuses.values()) == REQUESTS
