"""The files of an earlier commit, to be measured beside those of today."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.stores import ROOT, create_database
from tests.harness.processes.store_process import PostgresServer

_STEPS = ("00-prepare_data.py", "10-train_model.py")


@contextmanager
def files_of(commit: str) -> Iterator[Path]:
    """Give a folder with the files of `commit`; raise RuntimeError if git has no such commit.

    `git archive` and not `git worktree`: a benchmark that is killed leaves nothing behind in .git.
    """
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode != 0:
        reason = archive.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"--against needs a commit of this repository, not {commit!r}: {reason}")
    with (
        TemporaryDirectory(prefix="ml-stack-bench-") as directory,
        tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files,
    ):
        files.extractall(directory, filter="data")
        yield Path(directory)


def train_with(checkout: Path, server: PostgresServer) -> Path:
    """Return a model volume made by the steps of `checkout`: an earlier api refuses a manifest of today.

    The version is made current by its link alone: the report of step 20 may need packages of that time.
    """
    models = checkout / "build" / "models"
    environment = os.environ | {"DATABASE_URL": create_database(server, "earlier"), "MODEL_DIR": str(models)}
    for step in _STEPS:
        done = subprocess.run(
            [sys.executable, step], cwd=checkout, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{step} of the earlier commit failed: {(done.stdout + done.stderr)[-500:]}")
    (models / "current").symlink_to("versions/1")
    return models
