"""The current model of a server: follows the link `current`; keeps the old model if the new is damaged."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.following import Following
from mlstack.registry.layout import ARTIFACT
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import ModelRefused, StoreRefused

logger = logging.getLogger(__name__)

Fingerprint = tuple[int, ...]
Load = Callable[[Path], LoadedModel]  # raises ModelRefused


class CurrentModel:
    """Holds the last loadable version that was current. Any thread calls `get`, a single one `refresh`."""

    def __init__(self, store: ModelStore, load: Load = load_model) -> None:
        self._store = store
        self._load_model = load
        self._model: LoadedModel | None = None
        self._seen: Fingerprint | None = None
        self._refreshing = threading.Lock()
        self._refused: str | None = None
        self._following = Following(store)
        self.loads = 0

    def get(self) -> LoadedModel | None:
        """Return the model to predict with, None until one was loaded."""
        return self._model

    @property
    def refusal(self) -> str | None:
        """Why the newest version is not the one that is used, None if it is."""
        return self._refused or self._following.refusal

    @property
    def reaches_store(self) -> bool:
        """True while changes in the model store are seen; a folder always is."""
        return self._following.unreachable is None

    def refresh(self) -> bool:
        """Load the current version if it changed since the last call; return whether the model was replaced.

        A version that cannot be loaded is logged once and reported by `refusal`; the old model stays in use.
        """
        with self._refreshing:
            self._following.refresh()
            version = self._store.current()
            seen = None if version is None else (version, *fingerprint(self._store.path(version)))
            if seen == self._seen and (version is not None or self._refused):
                return False
            self._seen = seen
            if version is None:
                self._refused = self._why_none()
                return False
            return self._load(version)

    def _why_none(self) -> str:
        if self._following.unreachable:
            self._seen = ()  # it may be another reason next time
            return self._following.unreachable
        try:
            next(self._store.root.iterdir(), None)
            (self._store.root / "versions").stat()
        except FileNotFoundError:
            pass
        except OSError as error:
            logger.error(
                "model volume unreadable", extra={"path": str(self._store.root), "reason": error.strerror}
            )
            return f"the model volume {self._store.root} cannot be read: {error.strerror}"
        return "no version has been promoted yet: run model-train and model-evaluate"

    def _load(self, version: int) -> bool:
        try:
            model = self._load_model(self._store.loadable(version))
        except (ModelRefused, StoreRefused) as error:
            passing = isinstance(error, StoreRefused)
            if passing:
                self._seen = ()  # the store may be reached next time
            if not passing or self._refused != str(error):
                logger.error("model refused", extra={"model_version": version, "reason": str(error)})
            self._refused = str(error)
            return False
        self._refused = None
        if self._model is not None and self._model.digest == model.digest:
            return False
        self._model = model
        self.loads += 1
        logger.info("model loaded", extra={"model_version": version, "digest": model.digest})
        return True


def fingerprint(directory: Path) -> Fingerprint:
    """Return inodes, sizes and times of a version: enough to notice a change or repair without reading."""
    marks: list[int] = []
    for name in ("manifest.json", ARTIFACT):
        try:
            status = (directory / name).lstat()
        except OSError:
            marks.append(0)
        else:
            marks += [status.st_ino, status.st_size, status.st_mtime_ns]
    return tuple(marks)
