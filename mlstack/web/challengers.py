"""The versions that a server tries beside the current one; they follow the model volume as that does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlstack.inference.current_model import Fingerprint, Load, fingerprint
from mlstack.inference.loaded_model import LoadedModel
from mlstack.registry.challengers import Challenger, Role, read_challenger
from mlstack.registry.fitting import misfit
from mlstack.registry.store import ModelStore
from mlstack.registry.taken_back import read_taken_back, write_taken_back
from mlstack.runtime.refusals import Refusal
from mlstack.web.canary import Canary
from mlstack.web.problems import Problem

logger = logging.getLogger(__name__)


class Challengers:
    """`shadow` and `canary` are replaced as a whole: any thread may read them, one refreshes."""

    def __init__(
        self, store: ModelStore, load: Load, events: Path, server: str, *, shadows: bool = False
    ) -> None:
        """`events` is the folder in which all servers tell that a canary was taken back; `server` is ours.

        Without `shadows` none is loaded.
        """
        self._shadows = shadows
        self._store = store
        self._load = load
        self._events = events
        self._server = server
        self._loaded: dict[Role, tuple[int, Fingerprint, LoadedModel | None]] = {}
        self._ended: set[str] = set()  # trials that this process has taken back
        self._changing = threading.Lock()
        self._said: dict[Role, str] = {}
        self.shadow: LoadedModel | None = None
        self.canary: Canary | None = None
        self.set_canary: Challenger | None = None  # also while it is taken back
        self.taken_back = False

    def refresh(self, current: LoadedModel | None) -> None:
        """Read what is tried, and load it if it is new; a version that does not fit is logged once."""
        if self._shadows:
            self.shadow = self._model("shadow", self._read("shadow"), current)
        challenger = self._read("canary")
        model = self._model("canary", challenger, current)
        with self._changing:  # what another thread takes back meanwhile stays so
            self.taken_back = challenger is not None and self._is_taken_back(challenger)
            self.set_canary = challenger
            if challenger is None or model is None or self.taken_back:
                self.canary = None
            elif (
                self.canary is None or self.canary.challenger != challenger or self.canary.model is not model
            ):
                self.canary = Canary(challenger, model)

    def failed(self, model: LoadedModel) -> None:
        """Count a failed call; take the canary back if too many of its calls fail."""
        canary = self.canary
        reason = canary.failed(model) if canary is not None else None
        if canary is not None and reason is not None:
            self.take_back(canary, reason)

    @contextmanager
    def watching(self, model: LoadedModel) -> Iterator[None]:
        """Count the block, a call of the model, if it fails."""
        try:
            yield
        except Exception as error:
            if not isinstance(error, Problem):
                self.failed(model)
            raise

    def take_back(self, canary: Canary, reason: str) -> None:
        """Answer all callers by the current version at once, and tell the other servers."""
        trial = canary.challenger.trial
        with self._changing:
            if trial in self._ended:
                return
            self._ended.add(trial)
            if self.canary is canary:
                self.canary, self.taken_back = None, True
        about = {"model_version": canary.challenger.version, "reason": reason}
        logger.warning("canary taken back", extra=about)
        try:
            write_taken_back(self._events, canary.challenger, self._server, reason)
        except OSError as error:
            told = {"path": str(self._events), "reason": error.strerror}
            logger.error("other servers cannot be told that the canary is taken back", extra=told)

    def _is_taken_back(self, challenger: Challenger) -> bool:
        if challenger.trial in self._ended:
            return True
        found = read_taken_back(self._events, challenger)
        if found is None:
            return False
        self._ended.add(challenger.trial)
        about = {"model_version": found.version, "by": found.by, "reason": found.reason}
        logger.warning("canary taken back", extra=about)
        return True

    def _read(self, role: Role) -> Challenger | None:
        try:
            return read_challenger(self._store.root, role)
        except Refusal as refusal:
            self._say(role, str(refusal))
            return None

    def _model(self, role: Role, found: Challenger | None, current: LoadedModel | None) -> LoadedModel | None:
        """Return the model in this role, None without one that can answer the current one's requests."""
        if found is None or current is None or found.version == current.version:
            self._loaded.pop(role, None)
            return None
        mark = fingerprint(self._store.path(found.version))
        known = self._loaded.get(role)
        if known is None or known[:2] != (found.version, mark):
            known = self._loaded[role] = (found.version, mark, self._load_model(role, found.version))
        model = known[2]
        if model is None:
            return None
        why = misfit(current.manifest, model.manifest, same_rows=role == "canary")
        if why is not None:
            self._say(role, f"version {found.version} cannot answer the current requests: {why}")
            return None
        return model

    def _load_model(self, role: Role, version: int) -> LoadedModel | None:
        try:
            model = self._load(self._store.path(version))
        except Refusal as refusal:
            self._say(role, str(refusal))
            return None
        logger.info("challenger loaded", extra={"model_version": version, "role": role})
        return model

    def _say(self, role: Role, reason: str) -> None:
        """Log why there is no challenger, once."""
        if self._said.get(role) != reason:
            self._said[role] = reason
            logger.warning("challenger refused", extra={"role": role, "reason": reason})
