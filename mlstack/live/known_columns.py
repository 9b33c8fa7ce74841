"""The columns of each version of the model, read once."""

from __future__ import annotations

from mlstack.registry.manifest import read_manifest
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import ModelRefused

Columns = tuple[tuple[str, ...], str]  # features and target


class KnownColumns:
    """Looks up manifests in the model volume."""

    def __init__(self, store: ModelStore) -> None:
        """Nothing is read yet."""
        self._store = store
        self._found: dict[int, Columns | None] = {}

    def of(self, version: int) -> Columns | None:
        """Return the features and the target of a version, None if it was deleted."""
        if version not in self._found:
            try:
                manifest = read_manifest(self._store.path(version))
            except ModelRefused:
                self._found[version] = None
            else:
                self._found[version] = (manifest.features, manifest.target)
        return self._found[version]
