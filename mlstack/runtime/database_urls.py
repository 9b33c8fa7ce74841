"""URLs of PostgreSQL databases; as with libpq, one may name several servers: …@host1:5432,host2:5432/name."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qs, urlsplit, urlunsplit

_ATTRIBUTE = "target_session_attrs"
_LARGEST_PORT = 65_535


def server_addresses(parts: SplitResult) -> list[str]:
    """Return each `host` or `host:port` of a URL; raise ValueError unless all are complete."""
    addresses = parts.netloc.rpartition("@")[2].split(",")
    for address in addresses:
        alone = urlsplit(f"//{address}")
        if not alone.hostname or alone.port == 0:  # `port` raises ValueError if it is no port
            raise ValueError(f"expected host or host:port (1 to {_LARGEST_PORT}), not {address!r}")
    return addresses


def for_writing(url: str) -> str:
    """Return `url`; one of several servers asks for the server that can be written to, unless it says which.

    Only one of several servers accepts writes, and which one changes when a standby is promoted.
    """
    parts = urlsplit(url)
    if len(server_addresses(parts)) == 1 or _ATTRIBUTE in parse_qs(parts.query):
        return url
    query = "&".join(filter(None, (parts.query, f"{_ATTRIBUTE}=read-write")))
    return urlunsplit(parts._replace(query=query))


def each_server(url: str) -> list[str]:
    """Return one URL for each server that `url` names, in its order."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return [urlunsplit(parts._replace(netloc=f"{login}{at}{address}")) for address in server_addresses(parts)]
