"""Optional API keys: if none is configured, every request is accepted.

Several keys may be valid at once, so that keys can be rotated without an interruption.
"""

from __future__ import annotations

import hashlib
import hmac

from mlstack.runtime.settings import SettingsError, read_secret
from mlstack.web.problems import Unauthorized

HEADER = "X-API-Key"
SHORTEST = 16
# Probes and scrapes come from the internal network; with keys configured nginx answers /metrics with 404.
EXEMPT = frozenset({"/health", "/livez", "/readyz", "/metrics"})


class ApiKeys:
    """Keeps the SHA-256 of each key only."""

    def __init__(self, keys: list[str]) -> None:
        """Raise SettingsError for a key that is too short to be secret."""
        if any(len(key) < SHORTEST for key in keys):
            raise SettingsError(f"API_KEYS: every key must have at least {SHORTEST} characters")
        self._digests = [_digest(key.encode()) for key in keys]

    @classmethod
    def from_env(cls) -> ApiKeys:
        """Read API_KEYS or the file API_KEYS_FILE: one key per line, or separated by commas."""
        text = read_secret("API_KEYS", "")
        return cls([key.strip() for key in text.replace(",", "\n").splitlines() if key.strip()])

    def check(self, path: str, key: bytes | None) -> None:
        """Raise Unauthorized unless `path` is exempt or `key` valid; in constant time for wrong keys."""
        if not self._digests or path in EXEMPT:
            return
        given = _digest(key or b"")
        # Every digest is compared, in constant time, so that the duration reveals nothing about the keys.
        matches = [hmac.compare_digest(given, digest) for digest in self._digests]
        if not any(matches):
            raise Unauthorized(f"expected a valid key in the header {HEADER}")


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
