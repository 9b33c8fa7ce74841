"""The api's OpenAPI document is true through the front door, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack

EXAMPLES, SEED = 10, 667
# nginx itself refuses some paths that the document allows, such as a model's name with a line feed in it.
# Without nginx in between (tests/integration/test_api_openapi.py) these three are checked, too.
NOT_CHECKED = "positive_data_acceptance,status_code_conformance,content_type_conformance"
CONFIG = ROOT / "tests" / "integration" / "schemathesis.toml"


@pytest.mark.usefixtures("aftermath")
def test_every_operation_behaves_as_it_is_described(stack: Stack, tmp_path: Path) -> None:
    """Fewer examples than where no nginx is in between; every one of the coverage phase."""
    url = f"http://127.0.0.1:{stack.port('API_PORT')}/openapi.json"
    program = Path(sys.executable).with_name("schemathesis")
    bounds = [f"--max-examples={EXAMPLES}", f"--seed={SEED}", "--generation-database=none"]
    strategy = ["--phases=examples,coverage,fuzzing", "--checks=all", "--no-color"]
    strategy += [f"--exclude-checks={NOT_CHECKED}"]
    command = [str(program), f"--config-file={CONFIG}", "run", url, *bounds, *strategy]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=500)

    assert done.returncode == 0, done.stdout[-6000:]
