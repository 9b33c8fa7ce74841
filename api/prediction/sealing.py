"""Seals cache entries (a message authentication code), so that only entries of this service are used.

A seal is keyed BLAKE2b (RFC 7693, section 2.9) over the entry's key and content. All replicas derive the same
secret from the URL of the prediction log, which Redis and its other clients do not know; scrypt (RFC 7914)
makes it slow to guess a password from an entry and its seal.
"""

from __future__ import annotations

import hashlib

_BYTES = 16
_SALT = b"ml-stack cache entry"


class Sealer:
    """Seals entries and checks seals."""

    def __init__(self, secret: str) -> None:
        """Derive the key from `secret`; takes some 50 ms."""
        key = hashlib.scrypt(secret.encode(), salt=_SALT, n=1 << 14, r=8, p=1, dklen=32)
        self._keyed = hashlib.blake2b(key=key, digest_size=_BYTES)

    def seal(self, key: bytes, content: bytes) -> bytes:
        """Return the seal as hexadecimal digits; keys contain no zero byte, so no two pairs read the same."""
        state = self._keyed.copy()
        state.update(key)
        state.update(b"\0")
        state.update(content)
        return state.hexdigest().encode()

    def is_sealed(self, key: bytes, content: bytes, seal: bytes) -> bool:
        """Return whether `seal` was made here for this key and content."""
        return self.seal(key, content) == seal  # no client sees how long this takes
