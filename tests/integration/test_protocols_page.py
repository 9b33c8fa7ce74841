"""docs/protocols.md, word for word: every block predicts what POST /predict predicts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.documents.blocks import bash_blocks
from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.serving import ServingProcess, publish_line
from tests.harness.repository_root import ROOT

_PAGE = (ROOT / "docs" / "protocols.md").read_text("utf-8")
_PROGRAMS = re.findall(r"^```python\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL)
_COMMANDS = [command for block in bash_blocks(_PAGE) for command in block.commands]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve one model."""
    root: Path = tmp_path_factory.mktemp("page")
    publish_line(root / "models", 2.0)
    with undisturbed(root / "models", root / "log", real_stores) as process:
        yield process


def output(server: ServingProcess, *command: str) -> str:
    """Return what a command prints that is sent to the server instead of port 8000."""
    text = command[-1].replace("localhost:8000", f"127.0.0.1:{server.port}")
    text = text.replace('"localhost", 8000', f'"127.0.0.1", {server.port}')
    assert text != command[-1]
    done = subprocess.run(
        [*command[:-1], text], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def expected(server: ServingProcess) -> list[float]:
    found: list[float] = server.predict({"instances": [1, 2, 3]}).json()["predictions"]
    return found


def test_the_page_has_a_program_for_each_client() -> None:
    clients = {"kserve", "tritonclient", "mlflow"}

    assert len(_PROGRAMS) == 4
    assert clients == {name for name in clients for program in _PROGRAMS if f"{name}" in program}
    assert len(_COMMANDS) == 5


@pytest.mark.parametrize("number", range(len(_PROGRAMS)))
def test_a_program_prints_the_predictions(server: ServingProcess, number: int) -> None:
    printed = output(server, sys.executable, "-c", _PROGRAMS[number])

    assert json.loads(printed.splitlines()[-1]) == expected(server)


@pytest.mark.parametrize("number", range(len(_COMMANDS)))
def test_a_command_prints_the_predictions(server: ServingProcess, number: int) -> None:
    printed = output(server, "bash", "-c", _COMMANDS[number])

    assert json.loads(printed)["predictions"] == expected(server)
