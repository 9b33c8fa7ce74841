"""A folder on this machine that follows a model store in a bucket: the same layout, and a bounded cache.

Servers load from it, so they need the store neither for an answer nor for a restart. Its links change last.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from mlstack.registry.atomic_files import write_errors
from mlstack.registry.bucket.client import Bucket
from mlstack.registry.bucket.index import KEY, LARGE_FILES, Index, decode_index, object_name
from mlstack.registry.bucket.mirror_files import (
    COPY,
    Applied,
    copy_folder,
    evict,
    is_intact,
    link_versions,
    locked,
    read_applied,
    remove_stale_copies,
    write_applied,
)
from mlstack.registry.layout import linked_version, version_numbers
from mlstack.runtime.refusals import ModelRefused, StoreRefused

_AT_ONCE = 8  # downloads
_DAMAGED_SECONDS = 60.0  # before a damaged object is downloaded again


class Mirror:
    """The folder; several processes of a machine share it."""

    def __init__(self, root: Path, bucket: Bucket, most_bytes: int) -> None:
        """Of large files at most `most_bytes` are kept, besides those of the current version."""
        self.root = root
        self._bucket = bucket
        self._most_bytes = most_bytes
        self._damaged: dict[str, tuple[float, str]] = {}
        self._needed: int | None = None  # the version that was asked for last

    def applied(self) -> Applied:
        """Return what the folder follows."""
        return read_applied(self.root)

    def follow(self, *, wait: bool = False) -> None:
        """Take over the index if it has changed; raise StoreRefused or ModelRefused and stay as before.

        If another process is doing it, return at once, or `wait` for it.
        """
        while True:
            before = self.applied()
            found = self._bucket.read(KEY, before.tag)
            if found is None:
                return
            where = self._bucket.address.url
            if before.tag and not found.tag:
                raise StoreRefused(f"{where}: {KEY} is gone: restore it, or delete {self.root} to begin anew")
            index = decode_index(found.content, where)
            with locked(self.root, wait=wait) as is_mine:
                if not is_mine:
                    return
                if self.applied().tag == before.tag:  # else another process was quicker: look again
                    self._apply(before.index, Applied(found.tag, index))
                    return

    def fetch(self, version: int, names: tuple[str, ...]) -> None:
        """Have files of a version in the folder, as they were published; raise a Refusal."""
        index = self.applied().index
        paths = [path for path in index.of_version(version) if path.rpartition("/")[2] in names]
        missing = [path for path in paths if not is_intact(self.root / path, index.files[path])]
        if not missing:
            return
        with write_errors(self.root), locked(self.root, wait=True):
            self._needed = version
            for path in missing:
                self._download(path, index, anew=True)
            self._evict()

    @contextmanager
    def copy(self) -> Iterator[tuple[Path, Applied]]:
        """Give a copy of the folder for the block, to be changed; large files are links."""
        with locked(self.root, wait=True):
            remove_stale_copies(self.root)
            work = Path(tempfile.mkdtemp(prefix=COPY, dir=self.root))
            applied = self.applied()
            copy_folder(self.root, work / "store")
        try:
            yield work / "store", applied
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def adopt(self, copy: Path) -> None:
        """Keep large files that were made in a copy: they need not be downloaded."""
        with locked(self.root, wait=True):
            for path in copy.glob("versions/*/*"):
                place = self.root / path.relative_to(copy)
                if path.name in LARGE_FILES and place.parent.is_dir() and not place.exists():
                    os.link(path, place)
            self._evict()

    def _apply(self, before: Index, after: Applied) -> None:
        index = after.index
        with write_errors(self.root):
            small = [path for path in index.files if path.rpartition("/")[2] not in LARGE_FILES]
            unchanged = {path for path in small if before.files.get(path) == index.files[path]}
            needed = [path for path in small if path not in unchanged or not (self.root / path).is_file()]
            for path in needed:
                (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(lambda path: self._download(path, index, anew=True), needed))
            if index.current is not None:
                for path in index.of_version(index.current):
                    self._download(path, index)
            link_versions(self.root, index)
            write_applied(self.root, after)
            for version in set(version_numbers(self.root)) - index.versions():
                shutil.rmtree(self.root / "versions" / str(version), ignore_errors=True)
            self._evict()

    def _download(self, path: str, index: Index, *, anew: bool = False) -> None:
        entry, place = index.files[path], self.root / path
        if place.is_file() and not anew:
            return
        key = object_name(path, entry)
        until, reason = self._damaged.get(key, (0.0, ""))
        if time.monotonic() < until:
            raise ModelRefused(reason)
        try:
            if entry.size > self._most_bytes:
                raise ModelRefused(f"{path}: has {entry.size} bytes, more than MODEL_CACHE_BYTES")
            self._bucket.download(key, place, entry.sha256)
        except ModelRefused as error:
            self._damaged[key] = time.monotonic() + _DAMAGED_SECONDS, str(error)
            raise

    def _evict(self) -> None:
        evict(self.root, {self._needed, linked_version(self.root, "current")}, self._most_bytes)
