"""Optional API keys: if none is configured, every request is accepted.

Several keys may be valid at once, so that one can be replaced without a moment in which no key works. The
file of keys is followed: a key counts, or no longer counts, seconds after the file was changed.
"""

from __future__ import annotations

import hashlib
import hmac
import logging

from mlstack.runtime.secret_files import Secret
from mlstack.runtime.settings import SettingsError, read_secret
from mlstack.web.problems import Unauthorized

logger = logging.getLogger(__name__)

HEADER = "X-API-Key"
SHORTEST = 16
# Probes and scrapes come from the internal network; with keys configured nginx answers /metrics with 404.
# The page and its files hold nothing secret; what they show is asked for with a key.
EXEMPT = frozenset({"/health", "/livez", "/readyz", "/metrics", "/"})
_PAGE, _PAGE_FILES = "/page/", (".css", ".js")


class ApiKeys:
    """Keeps the SHA-256 of each key only."""

    def __init__(self) -> None:
        """Read API_KEYS or the file API_KEYS_FILE: one key a line, or separated by commas.

        Raise SettingsError for a file that cannot be read, or a key that is too short to be secret.
        """
        self._in_use = False
        self.secret = Secret("API_KEYS", self._read)
        if self.secret.is_followed and not self._in_use:
            logger.warning("the file in API_KEYS_FILE is empty: requests need no API key")

    def check(self, path: str, key: bytes | None) -> None:
        """Raise Unauthorized unless `path` is exempt or `key` valid; how wrong a key is never shows."""
        digests = self.secret.value
        if not digests or path in EXEMPT or (path.startswith(_PAGE) and path.endswith(_PAGE_FILES)):
            return
        given = _digest(key or b"")
        # Every digest is compared: which one matched, or how far a wrong one went, does not show in the time.
        matches = [hmac.compare_digest(given, digest) for digest in digests]
        if not any(matches):
            raise Unauthorized(f"expected a valid key in the header {HEADER}")

    def _read(self) -> list[bytes]:
        text = read_secret("API_KEYS", "")
        keys = [key.strip() for key in text.replace(",", "\n").splitlines() if key.strip()]
        if any(len(key) < SHORTEST for key in keys):
            raise SettingsError(f"API_KEYS: every key must have at least {SHORTEST} characters")
        if self._in_use and not keys:  # an accident with the file must not open the service
            raise SettingsError("API_KEYS_FILE holds no key: restart the service to run it without keys")
        self._in_use = bool(keys)
        return [_digest(key.encode()) for key in keys]


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
