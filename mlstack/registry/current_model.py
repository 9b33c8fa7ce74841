"""The model a server answers with: follows `current`, swaps whole versions, survives a bad one."""

from __future__ import annotations

import logging
import threading

from mlstack.registry.loaded_model import ARTIFACT, LoadedModel, load_model
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import ModelRefused

logger = logging.getLogger(__name__)

Fingerprint = tuple[int, ...]


class CurrentModel:
    """Holds the newest loadable current version. Readers call `get`; one poller calls `refresh`."""

    def __init__(self, store: ModelStore) -> None:
        """Loads nothing yet."""
        self._store = store
        self._model: LoadedModel | None = None
        self._seen: Fingerprint | None = None
        self._refreshing = threading.Lock()
        self.refusal: str | None = None
        self.loads = 0

    def get(self) -> LoadedModel | None:
        """Return the model to answer with, None until one could be loaded."""
        return self._model

    def refresh(self) -> bool:
        """Load `current` if it changed since the last look; return whether another model answers now.

        A version that is refused is logged once; the model that answered before goes on answering.
        """
        with self._refreshing:
            version = self._store.current()
            seen = self._fingerprint(version)
            if seen == self._seen and (version is not None or self.refusal):
                return False
            self._seen = seen
            if version is None:
                self.refusal = "no version has been promoted yet: run model-train and model-evaluate"
                return False
            return self._load(version)

    def _load(self, version: int) -> bool:
        try:
            model = load_model(self._store.path(version))
        except ModelRefused as error:
            self.refusal = str(error)
            logger.error("model refused", extra={"model_version": version, "reason": str(error)})
            return False
        self.refusal = None
        if self._model is not None and self._model.digest == model.digest:
            return False
        self._model = model
        self.loads += 1
        logger.info("model loaded", extra={"model_version": version, "digest": model.digest})
        return True

    def _fingerprint(self, version: int | None) -> Fingerprint | None:
        """Tell a version, and a repaired or damaged one of the same number, apart without reading it."""
        if version is None:
            return None
        marks = [version]
        for name in ("manifest.json", ARTIFACT):
            try:
                status = (self._store.path(version) / name).stat()
            except OSError:
                marks.append(0)
            else:
                marks += [status.st_ino, status.st_size, status.st_mtime_ns]
        return tuple(marks)
