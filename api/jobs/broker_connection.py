"""Connections to RabbitMQ, and what ends them: a loss, or a changed password that it accepts."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import aio_pika
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from yarl import URL

from api.connections.address import StoreAddress

CONNECT_SECONDS = 5.0
_HEARTBEAT_SECONDS = 10
_REFUSED_SECONDS = 2.0  # before it is asked again whether it accepts a changed password


def new_connection(url: str, name: str) -> aio_pika.Connection:
    """Return a connection that is not open yet; `name` is what RabbitMQ lists it by."""
    return aio_pika.Connection(URL(url).update_query(name=name, heartbeat=_HEARTBEAT_SECONDS))


async def lost_or_changed(lost: asyncio.Event, url: str, address: StoreAddress, name: str) -> None:
    """Return when the connection by `url` is lost, or when RabbitMQ accepts the URL that has changed."""
    while not lost.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(lost.wait(), 1.0)
        if not lost.is_set() and address.url != url and await _accepts(address, name):
            return
    address.lost(ConnectionError("the connection was closed"))


async def _accepts(address: StoreAddress, name: str) -> bool:
    """Return whether RabbitMQ accepts the present URL; log it if it does not."""
    trial = new_connection(address.url, name)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await trial.connect()
            await trial.close()
    except CONNECTION_EXCEPTIONS as error:
        address.change_refused(error)
        await asyncio.sleep(_REFUSED_SECONDS)
        return False
    return True
