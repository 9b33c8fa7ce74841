"""The model volume: numbered versions, published whole or not at all, one of them current.

versions/<n>/   model.pkl  model.skops  manifest.json  then evaluation.json  report.html  report.png
latest  -> versions/<n>     the version of the present data, code and parameters: what the quality gate judges
current -> versions/<n>     the version that is served        model.pkl -> current/model.pkl
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from mlstack.registry.atomic_files import draft_directory, publish_directory, replace_link
from mlstack.registry.layout import linked_version, numbered, set_current, writer
from mlstack.registry.manifest import Manifest, read_manifest, verify_file, write_manifest
from mlstack.registry.verdicts import Evaluation, read_evaluation, write_evaluation
from mlstack.runtime.refusals import ModelRefused, StoreRefused


class ModelStore:
    """The versions below `root`. Writers take turns by a lock in the volume; readers need none."""

    def __init__(self, root: Path) -> None:
        """Opens nothing; the first writer creates what is missing."""
        self.root = root

    def versions(self) -> list[int]:
        """Return the numbers of the published versions, in order."""
        return numbered(self.root)

    def path(self, version: int) -> Path:
        """Return the directory of a version, whether it exists or not."""
        return self.root / "versions" / str(version)

    def current(self) -> int | None:
        """Return the version that is served."""
        return linked_version(self.root, "current")

    def latest(self) -> int | None:
        """Return the version of the present data, code and parameters."""
        return linked_version(self.root, "latest")

    def evaluation(self, version: int) -> Evaluation:
        """Return what the quality gate or a person decided about a version."""
        return read_evaluation(self.path(version))

    def verified(self, version: int) -> Manifest:
        """Return the manifest of a version whose files are all intact; raise ModelRefused otherwise."""
        manifest = read_manifest(self.path(version))
        for name in manifest.files:
            verify_file(self.path(version), manifest, name)
        return manifest

    def find(self, content: str) -> int | None:
        """Return the newest intact version with this content."""
        for version in reversed(self.versions()):
            try:
                if read_manifest(self.path(version)).provenance.content == content:
                    self.verified(version)
                    return version
            except ModelRefused:
                continue
        return None

    def publish(self, manifest: Manifest, write: Callable[[Path], None]) -> int:
        """Publish what `write` puts into the directory it is given, as a new version; return its number.

        A version with the same content is returned instead. A failure or a kill leaves no trace.
        """
        with writer(self.root):
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
        """Make `version` the latest; the quality gate judges it anew unless a person took it back."""
        with writer(self.root):
            if self.latest() == version:
                return
            if self.evaluation(version).verdict != "rolled back":
                write_evaluation(self.path(version), Evaluation())
            replace_link(self.root / "latest", f"versions/{version}")

    def record(self, version: int, evaluation: Evaluation) -> None:
        """Serve `version` from now on if it was promoted; keep what was decided about it.

        In this order: whoever is killed in between has the version judged again, not forgotten.
        """
        with writer(self.root):
            if evaluation.verdict == "promoted":
                set_current(self.root, version)
            write_evaluation(self.path(version), evaluation)

    def reject(self, version: int, reason: str) -> None:
        """Mark a version as never to be served."""
        self.record(version, Evaluation(verdict="rejected", reason=reason))

    def promote(self, version: int, *, force: bool = False) -> None:
        """Serve `version` because a person says so; a rejected one only with `force`."""
        if version not in self.versions():
            raise StoreRefused(f"there is no version {version}; `models list` shows what there is")
        self.verified(version)
        evaluation = self.evaluation(version)
        if evaluation.verdict == "rejected" and not force:
            raise StoreRefused(f"version {version} was rejected: {evaluation.reason}; --force promotes it")
        self.record(version, evaluation.decided("promoted", "promoted by hand"))
        self._accept_rejections()

    def rollback(self) -> int:
        """Serve the promoted version before the current one; the current one does not come back by itself."""
        current = self.current()
        if current is None:
            raise StoreRefused("nothing to roll back: no version has been promoted yet")
        older = [n for n in self.versions() if n < current and self.evaluation(n).verdict == "promoted"]
        if not older:
            raise StoreRefused(f"nothing to roll back to: nothing older than version {current} was promoted")
        self.promote(older[-1])
        reason = f"rolled back to version {older[-1]}"
        self.record(current, self.evaluation(current).decided("rolled back", reason))
        return older[-1]

    def prune(self, keep: int) -> list[int]:
        """Delete all but the newest `keep` versions, the current and the latest; return what was deleted."""
        if keep < 1:
            raise StoreRefused(f"at least 1 version must be kept, not {keep}")
        with writer(self.root):
            wanted = {*self.versions()[-keep:], self.current(), self.latest()}
            doomed = [version for version in self.versions() if version not in wanted]
            for version in doomed:
                shutil.rmtree(self.path(version))
            return doomed

    def _accept_rejections(self) -> None:
        """A person chose what is served: the rejections so far no longer fail the quality gate."""
        for version in self.versions():
            evaluation = self.evaluation(version)
            if evaluation.verdict == "rejected" and not evaluation.accepted:
                self.record(version, msgspec.structs.replace(evaluation, accepted=True))
