"""The layout of the model volume: numbered directories, links to them, one writer at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlstack.registry.atomic_files import locked, replace_link, writing


def numbered(root: Path) -> list[int]:
    """Return the numbers of the published versions, in order; none if there is no volume yet."""
    try:
        names = [path.name for path in (root / "versions").iterdir()]
    except OSError:
        return []
    return sorted(int(name) for name in names if name.isdecimal())


def linked_version(root: Path, link: str) -> int | None:
    """Return the version that the symbolic link `link` points to, None if it points to none."""
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
def writer(root: Path) -> Iterator[None]:
    """Be the only writer below `root`; what goes wrong on the way is one readable line."""
    with writing(root):
        (root / "versions").mkdir(parents=True, exist_ok=True)
        with locked(root / ".lock"):
            yield
