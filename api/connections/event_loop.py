"""The event loop of the api and the worker: uvloop, with look-ups of names that cannot hold up each other."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from typing import Any, TypeVar

import uvloop

from api.connections.lookups import Answer, Lookups

ProtocolT = TypeVar("ProtocolT", bound=asyncio.BaseProtocol)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a loop that runs nothing yet; uvicorn is given the name of this function."""
    return Loop()


class Loop(uvloop.Loop):
    """uvloop, except for how it finds the address of a name."""

    def __init__(self) -> None:
        super().__init__()
        self._lookups = Lookups(self)

    async def getaddrinfo(  # noqa: PLR0913 - as asyncio defines it
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the name that asyncio gives it
        proto: int = 0,
        flags: int = 0,
    ) -> Answer:
        """Look a name up; see Lookups."""
        return await self._lookups.find((host, port, family, type, proto, flags))

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], ProtocolT],
        host: str | None = None,
        port: int | None = None,
        **more: Any,
    ) -> tuple[asyncio.BaseTransport, ProtocolT]:
        """Connect to the first address of a name that accepts; a certificate must be for the name."""
        connect: Any = super().create_connection
        if host is None or _is_address(host):
            return await connect(protocol_factory, host, port, **more)  # type: ignore[no-any-return]
        if more.get("ssl"):
            more.setdefault("server_hostname", host)
        failed: OSError | None = None
        kind = {"family": more.pop("family", 0), "proto": more.pop("proto", 0), "flags": more.pop("flags", 0)}
        for *_, address in await self.getaddrinfo(host, port, type=socket.SOCK_STREAM, **kind):
            try:
                return await connect(protocol_factory, address[0], port, **more)  # type: ignore[no-any-return]
            except OSError as error:
                failed = failed or error
        raise failed or OSError(f"no address is known of {host}")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
