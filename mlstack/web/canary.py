"""The canary of a server: which callers it answers, and what fails of its calls."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from mlstack.inference.loaded_model import LoadedModel
from mlstack.registry.challengers import Challenger

_LEAST_FAILURES = 3
_TIMES = 2.0  # as many failures, for the share of the callers, as the current version has


@dataclass(slots=True)
class Canary:
    """A version that answers a share of the callers."""

    challenger: Challenger
    model: LoadedModel
    failures: int = 0
    current_failures: int = 0  # of the other callers' calls
    _limit: int = field(init=False)
    _salt: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._limit = int(self.challenger.share * 2**64)
        self._salt = str(self.challenger.version).encode()

    def takes(self, caller: bytes) -> bool:
        """Return whether this caller is answered by the canary: always the same for one version.

        A larger share keeps the callers of a smaller one. Who does not say who it is gets the current one.
        """
        if not caller:
            return False
        digest = hashlib.blake2b(caller, digest_size=8, salt=self._salt[:16]).digest()
        return int.from_bytes(digest) < self._limit

    def failed(self, model: LoadedModel) -> str | None:
        """Count a failed call of a model; return why the canary must be taken back, None if it need not."""
        if model.digest != self.model.digest:
            self.current_failures += 1
            return None
        self.failures += 1
        share = self.challenger.share
        expected = self.current_failures * share / (1.0 - share)
        if self.failures < _LEAST_FAILURES or self.failures <= _TIMES * expected:
            return None
        return (
            f"{self.failures} of its calls failed, and {self.current_failures} of the current version's,"
            f" which answers the other {1.0 - share:.0%} of the callers"
        )
