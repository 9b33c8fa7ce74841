"""The layout of the model volume: numbered directories and symbolic links to them, written under a lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlstack.registry.atomic_files import exclusive_lock, replace_link, write_errors

ARTIFACT = "model.skops"  # of a version: what servers load


def version_numbers(root: Path) -> list[int]:
    """Return the numbers of the published versions, in order; none if the directory does not exist."""
    try:
        names = [path.name for path in (root / "versions").iterdir()]
    except OSError:
        return []
    return sorted(int(name) for name in names if name.isdecimal())


def linked_version(root: Path, link: str) -> int | None:
    """Return the version that the symbolic link `link` points to, None if there is none."""
    try:
        name = (root / link).readlink().name
    except OSError:
        return None
    return int(name) if name.isdecimal() and (root / "versions" / name).is_dir() else None


def set_current(root: Path, version: int) -> None:
    """Make `version` the current one."""
    replace_link(root / "current", f"versions/{version}")
    if not (root / "model.pkl").is_symlink():
        replace_link(root / "model.pkl", "current/model.pkl")


@contextmanager
def exclusive_writer(root: Path) -> Iterator[None]:
    """Hold the volume's lock for the block, so that there is one writer at a time; raise StoreRefused."""
    with write_errors(root):
        (root / "versions").mkdir(parents=True, exist_ok=True)
        with exclusive_lock(root / ".lock"):
            yield
