"""The numbered steps as they run in their containers: processes, set by their environment, logging JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from tests.harness.repository_root import ROOT

STEPS = ("00-prepare_data.py", "05-validate_data.py", "10-train_model.py", "20-evaluate_model.py")


@dataclass(frozen=True)
class Outcome:
    """How a step ended."""

    code: int
    lines: list[dict[str, Any]]
    stderr: str

    def errors(self) -> list[str]:
        """Return what it complained about."""
        return [line["event"] for line in self.lines if line["level"] == "error"]

    def line(self, event: str) -> dict[str, Any]:
        """Return the one line of this event."""
        (found,) = [line for line in self.lines if line["event"] == event]
        return found


@dataclass(frozen=True)
class Steps:
    """Runs steps against a database and a model volume."""

    database_url: str
    model_dir: Path

    def run(self, script: str, *prefix: str, **settings: str) -> Outcome:
        """Run one step, with `prefix` before its command and `settings` in its environment."""
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
        environment |= {"DATABASE_URL": self.database_url, "MODEL_DIR": str(self.model_dir)} | settings
        command = [*prefix, sys.executable, script]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        return Outcome(done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr)

    def execute(self, statement: str) -> None:
        """Run SQL in the database, as its owner."""
        with closing(psycopg2.connect(self.database_url)) as connection, connection:
            connection.cursor().execute(statement)

    def run_all(self, **settings: str) -> list[Outcome]:
        """Run every step, as `up` does."""
        return [self.run(script, **settings) for script in STEPS]
