"""The URL of a Redis: redis://[user]:password@host:port/database, or rediss:// for TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from mlstack.runtime.settings import SettingsError, read_server_url

_FORM = "redis://user:password@host:port/0, or rediss://… for TLS"
_CA_FILE = "ssl_ca_certs"  # as redis-py spells it


@dataclass(frozen=True, slots=True)
class RedisTarget:
    """Where to connect to, and as whom."""

    host: str
    port: int
    credentials: tuple[str, ...]  # what follows AUTH
    database: int
    tls: ssl.SSLContext | None  # verifies the server's certificate and name

    @classmethod
    def parse(cls, url: str) -> RedisTarget:
        """Raise ValueError for a database that is no number, an unknown parameter, an unusable CA file."""
        parts = urlsplit(url)
        query = parse_qs(parts.query, keep_blank_values=True)
        tls = None
        if parts.scheme == "rediss":
            tls = ssl.create_default_context(cafile=query.pop(_CA_FILE, [None])[-1])
        if query:
            raise ValueError(f"unknown parameter {', '.join(query)}; known is {_CA_FILE}, with rediss://")
        return cls(
            host=parts.hostname or "localhost",
            port=parts.port or 6379,
            credentials=tuple(unquote(part) for part in (parts.username, parts.password) if part),
            database=int(parts.path.strip("/") or 0),
            tls=tls,
        )


def read_redis_url(name: str) -> str:
    """Return the URL in `name`; raise SettingsError for one that cannot be used."""
    url = read_server_url(name, _FORM, "redis", "rediss")
    try:
        RedisTarget.parse(url)
    except (ValueError, OSError) as error:  # ssl.SSLError is an OSError
        raise SettingsError(f"{name} must look like {_FORM}: {error}") from None
    return url
