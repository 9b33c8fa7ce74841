"""Who asks: what decides whether the canary answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mlstack.runtime.settings import SettingsError, env

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")  # RFC 9110, section 5.6.2
ADDRESS = "X-Forwarded-For"  # nginx replaces what a client sends in it
_ADDRESS = ADDRESS.lower().encode()


@dataclass(frozen=True, slots=True)
class Callers:
    """Knows a caller by a header, without it by the address that nginx has seen."""

    header: str
    _name: bytes

    def of(self, headers: Mapping[bytes, bytes]) -> bytes:
        """Return what stands for the caller, empty if it is not known; names of headers in lower case."""
        return headers.get(self._name) or headers.get(_ADDRESS, b"")


def read_callers() -> Callers:
    """Read CANARY_HEADER; raise SettingsError."""
    header = env("CANARY_HEADER", "X-Caller-ID")
    if not _NAME.fullmatch(header):
        raise SettingsError(f"CANARY_HEADER must be the name of a header, not {header!r}")
    return Callers(header, header.lower().encode())
