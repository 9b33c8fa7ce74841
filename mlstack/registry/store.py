"""The model volume: numbered versions, published atomically; one of them is current, which means served.

versions/<n>/   model.pkl  model.skops  manifest.json  then evaluation.json  report.html  report.svg
latest  -> versions/<n>     the version of the present data, code and parameters: input of the quality gate
current -> versions/<n>     the version that is served        model.pkl -> current/model.pkl
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from mlstack.registry.atomic_files import draft_directory, publish_directory, replace_file, replace_link
from mlstack.registry.challengers import ROLES, tried_version
from mlstack.registry.decisions import previous_version, promote, rollback
from mlstack.registry.history import GATE, Served, read_history, serve, served_now
from mlstack.registry.layout import exclusive_writer, linked_version, version_numbers
from mlstack.registry.manifest import Manifest, read_manifest, verify_version, write_manifest
from mlstack.registry.verdicts import Evaluation, read_evaluation, write_evaluation
from mlstack.runtime.refusals import ModelRefused, StoreRefused


class ModelStore:
    """The versions below `root`. A lock in the volume excludes concurrent writers; readers need no lock."""

    has_trials = True  # a version can be tried beside the current one

    def __init__(self, root: Path) -> None:
        self.root = root  # the first write creates it

    def versions(self) -> list[int]:
        """Return the numbers of the published versions, in order."""
        return version_numbers(self.root)

    def refresh(self) -> None:
        """Take over what writers elsewhere have changed; a folder is always up to date."""

    def path(self, version: int) -> Path:
        """Return the directory of a version, which need not exist; of its files the small ones are there."""
        return self.root / "versions" / str(version)

    def loadable(self, version: int) -> Path:
        """Return the directory of a version to load it from; raise a Refusal if it cannot be had."""
        return self.path(version)

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
        return verify_version(self.path(version))

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

    def record(self, version: int, evaluation: Evaluation, command: str = "model-evaluate") -> None:
        """Store the quality gate's verdict on `version`; if it was promoted, make it current first.

        In this order a crash in between leaves a version without verdict, which is evaluated again.
        """
        with exclusive_writer(self.root):
            if evaluation.verdict == "promoted":
                serve(self.root, served_now(version, GATE, command, evaluation.reason))
            write_evaluation(self.path(version), evaluation)

    def reject(self, version: int, reason: str) -> None:
        """Store the verdict that a version must not be served."""
        self.record(version, Evaluation(verdict="rejected", reason=reason))

    def write_file(self, name: str, content: bytes) -> None:
        """Replace a file that belongs to no version."""
        with exclusive_writer(self.root):
            replace_file(self.root / name, content)

    def history(self) -> list[Served]:
        """Return which version was served when and why, in order; the last one is served now."""
        return read_history(self.root)

    def promote(self, version: int, *, force: bool = False) -> None:
        """Make `version` current by an operator's decision.

        Only with `force` if it was rejected, or has other columns than the version that is served.
        """
        promote(self.root, version, force=force)

    def rollback(self, *, force: bool = False) -> int:
        """Make the version current that was served before the current one; return its number.

        Another rollback goes back further. Only with `force` if the columns differ.
        """
        return rollback(self.root, force=force)

    def prune(self, keep: int) -> list[int]:
        """Delete old versions; return what was deleted.

        The newest `keep` are kept, the current and the latest one, the one that a rollback would serve, and
        those that are tried.
        """
        if keep < 1:
            raise StoreRefused(f"at least 1 version must be kept, not {keep}")
        with exclusive_writer(self.root):
            kept = {*self.versions()[-keep:], self.current(), self.latest(), previous_version(self.root)}
            kept |= {tried_version(self.root, role) for role in ROLES}
            deleted = [version for version in self.versions() if version not in kept]
            for version in deleted:
                shutil.rmtree(self.path(version))
            return deleted
