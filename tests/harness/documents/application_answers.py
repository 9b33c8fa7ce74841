"""The expected outcomes of the ML application's commands."""

from __future__ import annotations

import subprocess

from tests.harness.documents.outcomes import answer
from tests.harness.documents.passwords import back_to_the_default
from tests.harness.documents.pipeline_operations import VOLUMES, comes_up
from tests.harness.stack.compose import Stack

COLUMNS = ("id", "input_data", "prediction", "confidence", "timestamp")  # first, and in this order


def starts(stack: Stack, output: str) -> None:
    """All healthy, on volumes that another POSTGRES_PASSWORD was used on before."""
    comes_up(stack, output)
    back_to_the_default(stack, output)


def healthy(_stack: Stack, output: str) -> None:
    """Redis and PostgreSQL are connected."""
    report = answer(output)

    assert report["status"] == "healthy"
    assert report["database"] == report["redis"] == "connected"


def computed(_stack: Stack, output: str) -> None:
    """The first answer is not cached, and is right."""
    found = answer(output)

    assert found["cached"] is False
    _right(found)


def cached(_stack: Stack, output: str) -> None:
    """The second answer is cached, and is right."""
    found = answer(output)

    assert found["cached"] is True
    _right(found)


def two_rows(_stack: Stack, output: str) -> None:
    """Both predictions are there, the cached one too."""
    header = [name.strip() for name in output.splitlines()[0].split("|")]

    assert tuple(header[:5]) == COLUMNS
    assert output.count("[[1], [2], [3]]") + output.count("[[1.0], [2.0], [3.0]]") == 2
    assert "(2 rows)" in output


def one_key(_stack: Stack, output: str) -> None:
    """The one prediction is cached; nothing waits to be logged."""
    keys = output.split()

    assert sum(key.startswith("prediction:") for key in keys) == 1
    assert "predictions:queue" not in keys


def volumes_stay(stack: Stack, _output: str) -> None:
    """No container is left, all data are."""
    assert not stack.containers()
    assert {f"{stack.project}_{name}" for name in VOLUMES} <= _project_volumes(stack)


def nothing_is_left(stack: Stack, _output: str) -> None:
    """No container, no volume."""
    assert not stack.containers()
    assert not _project_volumes(stack)


def _right(found: dict[str, list[float]]) -> None:
    assert [round(value) for value in found["predictions"]] == [3, 5, 7]


def _project_volumes(stack: Stack) -> set[str]:
    label = f"label=com.docker.compose.project={stack.project}"
    command = ["docker", "volume", "ls", "--quiet", "--filter", label]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
