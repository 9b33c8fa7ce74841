"""What the page's routes read from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from api.connections.background import running
from api.connections.pool import ConnectionPool
from api.page.neighbours import NeighbourWatch
from api.page.traffic import Traffic
from api.page.version_list import VersionList
from api.service import Service
from api.settings import Neighbours


class Sources(NamedTuple):
    """Each is asked once for all pages that are open."""

    traffic: Traffic
    neighbours: NeighbourWatch
    versions: VersionList


@asynccontextmanager
async def open_sources(
    service: Service, readers: ConnectionPool, neighbours: Neighbours
) -> AsyncIterator[Sources]:
    """Nothing is asked before a page is open."""
    watch = NeighbourWatch(neighbours)
    async with running(watch.keep_asking):
        yield Sources(Traffic(readers, service.log), watch, VersionList(service.models.store))
