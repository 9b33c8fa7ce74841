"""The manifest of each version of the model, read once."""

from __future__ import annotations

from mlstack.registry.manifest import Manifest, read_manifest
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import ModelRefused


class KnownManifests:
    """Looks up manifests in the model volume."""

    def __init__(self, store: ModelStore) -> None:
        """Nothing is read yet."""
        self._store = store
        self._found: dict[int, Manifest | None] = {}

    def of(self, version: int) -> Manifest | None:
        """Return the manifest of a version, None if it was deleted."""
        if version not in self._found:
            try:
                self._found[version] = read_manifest(self._store.path(version))
            except ModelRefused:
                self._found[version] = None
        return self._found[version]
