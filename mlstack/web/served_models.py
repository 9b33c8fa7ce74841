"""The served models: the current version, updated in the background, or one that the body names."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict

from mlstack.inference.current_model import CurrentModel, Load
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import Refusal, StoreRefused
from mlstack.web.challengers import Challengers
from mlstack.web.problems import Unavailable, UnknownVersion

logger = logging.getLogger(__name__)

_REFRESH_SECONDS = 1.0
_FIRST_MODEL_SECONDS = 0.2  # between checks while no model is loaded, because requests are refused
_KEPT_VERSIONS = 4


class ServedModels:
    """The versions that a server uses; safe to share between threads."""

    def __init__(
        self, store: ModelStore, load: Load = load_model, challengers: Challengers | None = None
    ) -> None:
        """Load the current version, if any; a refused one is logged and leaves the server unready.

        Without `challengers` no version is tried beside it.
        """
        self.current = CurrentModel(store, load)
        self.challengers = challengers or Challengers(store, load, store.root, "")
        self._tried = challengers is not None
        self.store = store
        self.refresh()
        self._load = load
        self._kept: OrderedDict[int, LoadedModel] = OrderedDict()
        self._lock = threading.Lock()

    def follow(self) -> None:
        """Load newly promoted versions within about a second, on a daemon thread of this process."""
        threading.Thread(target=self._follow, name="model-refresh", daemon=True).start()

    def refresh(self) -> None:
        """Follow the model volume."""
        self.current.refresh()
        if self._tried:
            self.challengers.refresh(self.current.get())

    def select(self, version: int | None, caller: bytes = b"") -> LoadedModel:
        """Return the model for this caller, or `version`; raise Unavailable or UnknownVersion without one.

        Who calls holds one immutable model, so a swap in between cannot mix two versions in an answer.
        """
        model = self.current.get()
        canary = self.challengers.canary
        if canary is not None and version is None and model is not None and canary.takes(caller):
            return canary.model
        if version is None:
            if model is None:
                raise Unavailable(f"no model is loaded yet: {self.current.refusal}")
            return model
        if model is not None and model.version == version:
            return model
        with self._lock:
            return self._older(version)

    def promoted(self) -> list[int]:
        """Return the versions that clients may request, oldest first."""
        store = self.store
        return [version for version in store.versions() if store.evaluation(version).verdict == "promoted"]

    def _older(self, version: int) -> LoadedModel:
        if version not in self.promoted():
            raise UnknownVersion(f"there is no promoted model version {version}")
        if version in self._kept:
            self._kept.move_to_end(version)
            return self._kept[version]
        try:
            model = self._load(self.store.loadable(version))
        except StoreRefused as refusal:
            logger.warning("version cannot be had", extra={"model_version": version, "reason": str(refusal)})
            raise Unavailable(
                f"model version {version} cannot be fetched from the model store now"
            ) from refusal
        except Refusal as refusal:
            logger.warning("version refused", extra={"model_version": version, "reason": str(refusal)})
            raise UnknownVersion(f"model version {version} may not be served") from refusal
        self._kept[version] = model
        if len(self._kept) > _KEPT_VERSIONS:
            self._kept.popitem(last=False)
        return model

    def _follow(self) -> None:
        import skops.io  # noqa: F401, PLC0415 - takes a second: done before the first version is there

        while True:
            time.sleep(_REFRESH_SECONDS if self.current.get() else _FIRST_MODEL_SECONDS)
            try:
                self.refresh()
            except Exception:  # any error: the loaded model stays in use, and the next check may succeed
                logger.exception("cannot look for a new model version")
