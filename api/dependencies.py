"""FastAPI dependencies of the routes."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from api.service import Service
from mlstack.web.api_keys import HEADER


def _service(request: Request) -> Service:
    return cast("Service", request.app.state.service)


async def require_key(request: Request) -> None:
    """Raise Unauthorized unless the API key is valid or the path needs none."""
    key = request.headers.get(HEADER)
    _service(request).keys.check(request.url.path, key.encode() if key else None)


CurrentService = Annotated[Service, Depends(_service)]
