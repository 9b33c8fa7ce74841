"""The model store in a bucket: the folder's own code on a copy of the mirror, then one conditional put.

Two writers that change it at once: the first put wins. A command that loses has changed nothing and says so;
a publication, which contradicts no other, is done again on what the winner has made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from mlstack.registry.atomic_files import write_errors
from mlstack.registry.bucket.address import BucketAddress
from mlstack.registry.bucket.client import Bucket, Conflict
from mlstack.registry.bucket.conditions import check_conditions
from mlstack.registry.bucket.index import KEY, LARGE_FILES, encode_index, index_of, object_name
from mlstack.registry.bucket.mirror import Mirror
from mlstack.registry.bucket.mirror_files import Applied
from mlstack.registry.decisions import rollback_candidates
from mlstack.registry.layout import ARTIFACT
from mlstack.registry.manifest import FILE_NAME as MANIFEST
from mlstack.registry.manifest import Manifest
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.refusals import ModelRefused, StoreRefused

_ATTEMPTS = 20  # one writer wins each time
_STALE = timedelta(hours=1)  # longer than a writer needs from its first upload to the new index
T = TypeVar("T")


class RemoteModelStore(ModelStore):
    """A model store whose folder `root` is a mirror of a bucket; reading needs the mirror only."""

    has_trials = False  # the bucket's index does not hold them

    def __init__(self, address: BucketAddress, directory: Path, most_bytes: int) -> None:
        """Mirror below `directory`; each bucket and prefix has a folder of its own there."""
        place = hashlib.sha256(f"{address.endpoint} {address.url}".encode()).hexdigest()[:16]
        super().__init__(directory / f"mirror-{place}")
        self._bucket = Bucket(address)
        self._mirror = Mirror(self.root, self._bucket, most_bytes)
        self._honours_conditions = False

    def refresh(self) -> None:
        """Take over what writers have changed; raise StoreRefused while the bucket cannot be reached."""
        self._mirror.follow()

    def loadable(self, version: int) -> Path:
        """Return the directory of a version, with the file that is loaded; raise a Refusal."""
        self._mirror.fetch(version, (MANIFEST, ARTIFACT))
        return self.path(version)

    def verified(self, version: int) -> Manifest:
        """Verify every file of a version, downloaded if need be; return its manifest or raise a Refusal."""
        self._mirror.fetch(version, (MANIFEST, *LARGE_FILES))
        return super().verified(version)

    def publish(self, manifest: Manifest, write: Callable[[Path], None]) -> int:
        """Publish a new version; see ModelStore."""
        return self._change(
            lambda folder: folder.publish(manifest, write),
            lambda: self.find(manifest.provenance.content),  # the same content is verified, so downloaded
            _ATTEMPTS,
        )

    def set_latest(self, version: int) -> None:
        """Make `version` the latest; see ModelStore."""
        self._change(lambda folder: folder.set_latest(version), attempts=_ATTEMPTS)

    def record(self, version: int, evaluation: Evaluation, command: str = "model-evaluate") -> None:
        """Store the quality gate's verdict; see ModelStore."""
        self._change(lambda folder: folder.record(version, evaluation, command))

    def promote(self, version: int, *, force: bool = False) -> None:
        """Make `version` current; see ModelStore."""
        self._change(lambda folder: folder.promote(version, force=force), lambda: self._have([version]))

    def rollback(self, *, force: bool = False) -> int:
        """Make the version current that was served before; see ModelStore."""
        return self._change(lambda folder: folder.rollback(force=force), self._have_previous)

    def prune(self, keep: int) -> list[int]:
        """Delete old versions, and objects that nothing names any more; see ModelStore."""
        deleted = self._change(lambda folder: folder.prune(keep), self._have_previous)
        index = self._mirror.applied().index
        used = {KEY, *(object_name(path, entry) for path, entry in index.files.items())}
        self._bucket.delete([key for key in self._bucket.names(older_than=_STALE) if key not in used])
        return deleted

    def write_file(self, name: str, content: bytes) -> None:
        """Replace a file of the store; see ModelStore."""
        self._change(lambda folder: folder.write_file(name, content), attempts=_ATTEMPTS)

    def _have_previous(self) -> None:
        self._have(rollback_candidates(self.root))

    def _have(self, versions: list[int]) -> None:
        """Download the first of these versions that is undamaged, for the folder's code to verify."""
        for version in versions:
            try:
                self.verified(version)
            except ModelRefused:
                continue
            return

    def _change(
        self,
        operation: Callable[[ModelStore], T],
        prepare: Callable[[], object] = lambda: None,
        attempts: int = 1,
    ) -> T:
        """Do it on a copy, for which `prepare` downloads what it reads; raise StoreRefused if others win."""
        if not self._honours_conditions:
            check_conditions(self._bucket)
            self._honours_conditions = True
        for _ in range(attempts):
            self._mirror.follow(wait=True)
            prepare()
            with write_errors(self.root), self._mirror.copy() as (folder, applied):
                result = operation(ModelStore(folder))
                try:
                    self._push(folder, applied)
                except Conflict:
                    continue
                self._mirror.follow(wait=True)
                self._mirror.adopt(folder)
                return result
        raise StoreRefused(
            f"{self._bucket.address.url}: another writer has changed the store at the same moment, so "
            "nothing was done here: look at `models history`, then try again"
        )

    def _push(self, folder: Path, applied: Applied) -> None:
        index = index_of(folder, applied.index)
        if index == applied.index:
            return
        for path, entry in index.files.items():
            if applied.index.files.get(path) != entry:
                self._bucket.upload(object_name(path, entry), folder / path)
        self._bucket.replace(KEY, encode_index(index), applied.tag or "")
