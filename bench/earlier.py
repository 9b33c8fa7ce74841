"""The files of an earlier commit, to be measured beside those of today."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.stores import ROOT


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
