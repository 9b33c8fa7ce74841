"""Running the operator's scripts as a person does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Finished

OPERATE = "scripts/operate"


def operate(script: str, *arguments: str, environment: Mapping[str, str]) -> Finished:
    """Run scripts/operate/SCRIPT; the exit code is the caller's to judge."""
    command = [f"{OPERATE}/{script}", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def succeed(finished: Finished) -> str:
    """Return what a script has printed; fail unless it exited with 0."""
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout + finished.stderr


def only_line(finished: Finished) -> str:
    """Return the one line that a script which refuses has to say."""
    assert finished.returncode == 1, finished.stdout + finished.stderr
    (line,) = finished.stderr.splitlines()
    return line
