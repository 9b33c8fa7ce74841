"""The model volume: numbered versions, published atomically; one of them is current, which means served.

versions/<n>/   model.pkl  model.skops  manifest.json  then evaluation.json  report.html  report.png
latest  -> versions/<n>     the version of the present data, code and parameters: input of the quality gate
current -> versions/<n>     the version that is served        model.pkl -> current/model.pkl
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from mlstack.registry.atomic_files import draft_directory, publish_directory, replace_link
from mlstack.registry.layout import exclusive_writer, linked_version, set_current, version_numbers
from mlstack.registry.manifest import Manifest, read_manifest, verify_file, write_manifest
from mlstack.registry.verdicts import Evaluation, read_evaluation, write_evaluation
from mlstack.runtime.refusals import ModelRefused, StoreRefused


class ModelStore:
    """The versions below `root`. A lock in the volume excludes concurrent writers; readers need no lock."""

    def __init__(self, root: Path) -> None:
        self.root = root  # the first write creates it

    def versions(self) -> list[int]:
        """Return the numbers of the published versions, in order."""
        return version_numbers(self.root)

    def path(self, version: int) -> Path:
        """Return the directory of a version, which need not exist."""
        return self.root / "versions" / str(version)

    def current(self) -> int | None:
        """Return the version that is served."""
        return linked_version(self.root, "current")

    def latest(self) -> int | None:
        """Return the version of the present data, code and parameters."""
        return linked_version(self.root, "latest")

    def evaluation(self, version: int) -> Evaluation:
        """Return the verdict of the quality gate or of an operator on a version."""
        return read_evaluation(self.path(version))

    def verified(self, version: int) -> Manifest:
        """Verify the SHA-256 of every file of a version; return its manifest or raise ModelRefused."""
        manifest = read_manifest(self.path(version))
        for name in manifest.files:
            verify_file(self.path(version), manifest, name)
        return manifest

    def find(self, content: str) -> int | None:
        """Return the newest undamaged version with this content digest, None if there is none."""
        for version in reversed(self.versions()):
            try:
                if read_manifest(self.path(version)).provenance.content == content:
                    self.verified(version)
                    return version
            except ModelRefused:
                continue
        return None

    def publish(self, manifest: Manifest, write: Callable[[Path], None]) -> int:
        """Publish a new version with the files that `write` puts into the given directory; return its number.

        If a version with the same content digest exists, return that one. After a failure or a crash the
        versions are as before.
        """
        with exclusive_writer(self.root):
            existing = self.find(manifest.provenance.content)
            if existing is not None:
                return existing
            version = max(self.versions(), default=0) + 1
            with draft_directory(self.root / "versions") as draft:
                write(draft)
                write_manifest(draft, manifest, version)
                publish_directory(draft, self.path(version))
            return version

    def set_latest(self, version: int) -> None:
        """Make `version` the latest and clear its verdict, unless an operator rolled it back."""
        with exclusive_writer(self.root):
            if self.latest() == version:
                return
            if self.evaluation(version).verdict != "rolled back":
                write_evaluation(self.path(version), Evaluation())
            replace_link(self.root / "latest", f"versions/{version}")

    def record(self, version: int, evaluation: Evaluation) -> None:
        """Store the verdict on `version`; if it was promoted, make it current first.

        In this order a crash in between leaves a version without verdict, which is evaluated again.
        """
        with exclusive_writer(self.root):
            if evaluation.verdict == "promoted":
                set_current(self.root, version)
            write_evaluation(self.path(version), evaluation)

    def reject(self, version: int, reason: str) -> None:
        """Store the verdict that a version must not be served."""
        self.record(version, Evaluation(verdict="rejected", reason=reason))

    def promote(self, version: int, *, force: bool = False) -> None:
        """Make `version` current by an operator's decision; a rejected one only with `force`."""
        if version not in self.versions():
            raise StoreRefused(f"there is no version {version}; `models list` shows what there is")
        self.verified(version)
        evaluation = self.evaluation(version)
        if evaluation.verdict == "rejected" and not force:
            raise StoreRefused(f"version {version} was rejected: {evaluation.reason}; --force promotes it")
        self.record(version, evaluation.with_verdict("promoted", "promoted by hand"))
        self._accept_rejections()

    def rollback(self) -> int:
        """Make the promoted version before the current one current; return its number.

        The replaced version gets the verdict "rolled back", so the quality gate does not promote it again.
        """
        current = self.current()
        if current is None:
            raise StoreRefused("nothing to roll back: no version has been promoted yet")
        older = [n for n in self.versions() if n < current and self.evaluation(n).verdict == "promoted"]
        if not older:
            raise StoreRefused(f"nothing to roll back to: nothing older than version {current} was promoted")
        self.promote(older[-1])
        reason = f"rolled back to version {older[-1]}"
        self.record(current, self.evaluation(current).with_verdict("rolled back", reason))
        return older[-1]

    def prune(self, keep: int) -> list[int]:
        """Delete all but the newest `keep` versions, the current and the latest; return what was deleted."""
        if keep < 1:
            raise StoreRefused(f"at least 1 version must be kept, not {keep}")
        with exclusive_writer(self.root):
            kept = {*self.versions()[-keep:], self.current(), self.latest()}
            deleted = [version for version in self.versions() if version not in kept]
            for version in deleted:
                shutil.rmtree(self.path(version))
            return deleted

    def _accept_rejections(self) -> None:
        """Mark all rejections as accepted by an operator, so that they no longer fail the quality gate."""
        for version in self.versions():
            evaluation = self.evaluation(version)
            if evaluation.verdict == "rejected" and not evaluation.accepted:
                self.record(version, msgspec.structs.replace(evaluation, accepted=True))
