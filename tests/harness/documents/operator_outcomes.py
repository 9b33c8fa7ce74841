"""What must come of the commands of docs/operations.md and docs/monitoring.md in production form."""

from __future__ import annotations

import re
import subprocess

from tests.harness.documents.command import Check
from tests.harness.documents.outcomes import answer
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack
from tests.harness.stack.containers import find
from tests.harness.stack.waiting import wait_until

LATEST_JOB = "LATEST_JOB"  # the variable in which a job's id is kept for the next command


def healthy(stack: Stack, _output: str) -> None:
    """Everything that serves is healthy, and no local database runs."""
    servers = [each for each in stack.containers() if each.is_server]
    assert {each.health for each in servers} <= {"healthy", ""}
    assert not {"database", "postgres"} & {each.service for each in servers}


def replicas(**expected: int) -> Check:
    """Return the check that so many replicas run, all healthy."""

    def check(stack: Stack, _output: str) -> None:
        for service, count in expected.items():
            found = [each.health for each in find(stack.project, service.replace("_", "-"))]
            assert found == ["healthy"] * count, service

    return check


def accepted(stack: Stack, output: str) -> None:
    """The job is accepted; its id is kept for the next command."""
    assert "HTTP/1.1 202" in output
    location = re.search(r"(?i)^location: (\S+)", output, re.MULTILINE)
    assert location
    stack.environment[LATEST_JOB] = location[1].rpartition("/")[2]


def completed(_stack: Stack, output: str) -> None:
    """The report has the predictions."""
    report = answer(output)
    assert report["state"] == "completed"
    assert len(report["predictions"]) == 3


def saved(folder: str, *files: str) -> Check:
    """Return the check that a backup holds exactly these files."""

    def check(stack: Stack, _output: str) -> None:
        path = ROOT / folder.replace("PROJECT", stack.project)
        assert {file.name for file in path.iterdir()} == set(files)

    return check


def nothing_is_left(stack: Stack, _output: str) -> None:
    """No container; what else the stack needs to be empty is the caller's."""
    assert not stack.containers()


def two_versions(stack: Stack, output: str) -> None:
    """The first version is listed, without a word about images; another one is made for the next command."""
    assert "building" not in output
    assert "DONE" not in output
    stack.compose("up", "--detach", "--wait", env={"DATA_SEED": "7"})


def watched(stack: Stack, output: str) -> None:
    """Exporters, Alertmanager and the drift monitor run, and reach the external stores."""
    healthy(stack, output)
    names = {each.service for each in stack.containers() if each.state == "running"}
    assert {
        "database-exporter",
        "postgres-exporter",
        "redis-exporter",
        "alertmanager",
        "model-monitor",
    } <= names
    up = "count(pg_up == 1) == 2 and on () redis_up == 1"
    wait_until(lambda: stack.query(up), 60, "the exporters to reach their stores")


def dashboards_are_as_committed(_stack: Stack, _output: str) -> None:
    """What is generated is what lies in the repository."""
    changed = ["git", "status", "--porcelain", "grafana/dashboards"]
    assert subprocess.run(changed, cwd=ROOT, check=True, capture_output=True, text=True).stdout == ""
