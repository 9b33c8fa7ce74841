"""Seals what lies in Redis (a message authentication code), so that only what this service wrote is used.

A seal is keyed BLAKE2b (RFC 7693, section 2.9) over a name and the content. The name of a cache entry is its
key, that of a row that waits for PostgreSQL its queue. All replicas have the same secret, which Redis and its
other clients do not know; scrypt (RFC 7914) makes it slow to guess a weak one from an entry and its seal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_BYTES = 16
_SALT = b"ml-stack cache entry"


class Sealer:
    """Seals with the first secret, accepts the seals of all: so a secret can be replaced while rows wait."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Derive the keys; takes some 50 ms for each of the `secrets`."""
        self._keyed, *self._older = [self._keyed_by(secret) for secret in secrets]

    def seal(self, name: bytes, content: bytes) -> bytes:
        """Return the seal in hexadecimal digits; names have no zero byte, so no two pairs read the same."""
        return self._seal(self._keyed, name, content)

    def is_sealed(self, name: bytes, content: bytes, seal: bytes) -> bool:
        """Return whether `seal` was made here for this content; no client sees how long this takes."""
        return self._seal(self._keyed, name, content) == seal or any(
            self._seal(keyed, name, content) == seal for keyed in self._older
        )

    @staticmethod
    def _keyed_by(secret: str) -> hashlib.blake2b:
        key = hashlib.scrypt(secret.encode(), salt=_SALT, n=1 << 14, r=8, p=1, dklen=32)
        return hashlib.blake2b(key=key, digest_size=_BYTES)

    @staticmethod
    def _seal(keyed: hashlib.blake2b, name: bytes, content: bytes) -> bytes:
        state = keyed.copy()
        state.update(name)
        state.update(b"\0")
        state.update(content)
        return state.hexdigest().encode()
