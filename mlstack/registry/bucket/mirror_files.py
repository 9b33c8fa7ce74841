"""The files of a mirror: its lock, what of it is intact, what is deleted when there is too much."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from mlstack.registry.atomic_files import replace_file, replace_link, write_errors
from mlstack.registry.bucket.index import LARGE_FILES, Entry, Index
from mlstack.registry.layout import linked_version, set_current
from mlstack.registry.manifest import file_digest

COPY = ".work-"  # begins the name of a command's copy
_APPLIED = ".applied.json"
_LOCK = ".mirror.lock"
_STALE_SECONDS = 3600.0  # of a copy whose command was killed


class Applied(msgspec.Struct, frozen=True):
    """The index that a mirror follows; before the first one the tag is None."""

    tag: str | None = None
    index: Index = Index()


def read_applied(root: Path) -> Applied:
    """Return what the mirror follows; a damaged record counts as none."""
    try:
        return msgspec.json.decode((root / _APPLIED).read_bytes(), type=Applied)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Applied()


def write_applied(root: Path, applied: Applied) -> None:
    """Say that the mirror follows this index now."""
    replace_file(root / _APPLIED, msgspec.json.encode(applied))


@contextmanager
def locked(root: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the mirror's lock for the block; give False if another process has it, unless told to `wait`."""
    with write_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        file = (root / _LOCK).open("ab")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def is_intact(path: Path, entry: Entry) -> bool:
    """Return whether a file is what was published; note that it was used."""
    try:
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        return file_digest(path) == entry.sha256
    except OSError:
        return False


def link_versions(root: Path, index: Index) -> None:
    """Let the links of the mirror lead to the versions that the index names."""
    (root / "versions").mkdir(exist_ok=True)
    if index.latest is not None and linked_version(root, "latest") != index.latest:
        replace_link(root / "latest", f"versions/{index.latest}")
    if index.current is not None and linked_version(root, "current") != index.current:
        set_current(root, index.current)


def copy_folder(root: Path, target: Path) -> None:
    """Copy a mirror without what is hidden in it; large files, which are never changed, are links."""
    ignored = shutil.ignore_patterns(".*")
    shutil.copytree(root, target, symlinks=True, copy_function=_copy_or_link, ignore=ignored)


def _copy_or_link(source: str, target: str) -> None:
    if Path(source).name in LARGE_FILES:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def evict(root: Path, kept: set[int | None], most_bytes: int) -> None:
    """Delete large files of versions that are not `kept`, least recently used first, down to `most_bytes`."""
    large = [path for path in root.glob("versions/*/*") if path.name in LARGE_FILES]
    large.sort(key=lambda path: path.stat().st_atime)
    total = sum(path.stat().st_size for path in large)
    for path in large:
        if total > most_bytes and int(path.parent.name) not in kept:
            total -= path.stat().st_size
            path.unlink(missing_ok=True)


def remove_stale_copies(root: Path) -> None:
    """Delete copies that commands have left behind."""
    for path in root.glob(f"{COPY}*"):
        if time.time() - path.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
