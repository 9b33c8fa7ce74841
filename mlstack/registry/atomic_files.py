"""Atomic file operations: after a crash at any moment the old or the new state is there, never a mixture."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlstack.runtime.refusals import StoreRefused

_ADVICE = {
    errno.ENOSPC: "the volume is full: free some space, for example with `models prune`",
    errno.EDQUOT: "the disk quota is used up: free some space, for example with `models prune`",
    errno.EROFS: "the volume is mounted read-only: only the training side may write to it",
    errno.EACCES: "no permission: the volume must belong to the user this step runs as",
    errno.EPERM: "no permission: the volume must belong to the user this step runs as",
}


@contextmanager
def write_errors(root: Path) -> Iterator[None]:
    """Translate an OSError below `root` to StoreRefused, with what to do."""
    try:
        yield
    except OSError as error:
        reason = _ADVICE.get(error.errno or 0, error.strerror or str(error))
        raise StoreRefused(f"cannot write to {root}: {reason}") from error


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`; the kernel releases it if the process is killed."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def sync_directory(directory: Path) -> None:
    """Make the directory's entries durable: a renamed file is otherwise not safe against a power failure."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def draft_directory(parent: Path) -> Iterator[Path]:
    """Create a temporary directory in `parent` for the block; delete it afterwards, unless it was renamed.

    The caller must hold the writer's lock: drafts of writers that were killed are deleted first.
    """
    for stale in parent.glob(".draft-*"):
        shutil.rmtree(stale)
    draft = parent / f".draft-{secrets.token_hex(4)}"
    draft.mkdir()
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def publish_directory(draft: Path, directory: Path) -> None:
    """Sync the draft's files to disk, make them readable for all users, and rename it to `directory`."""
    for path in draft.iterdir():
        path.chmod(0o644)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    draft.chmod(0o755)
    sync_directory(draft)
    draft.rename(directory)
    sync_directory(directory.parent)


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically and durably."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(path.parent)


def replace_link(link: Path, target: str) -> None:
    """Point the symbolic link `link` at `target`, atomically and durably."""
    draft = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    draft.symlink_to(target)
    try:
        draft.replace(link)
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(link.parent)
