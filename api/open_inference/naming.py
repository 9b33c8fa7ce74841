"""Shared by the protocol's endpoints: the model's name and versions, its outputs, the form of errors."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path

from api.service import Service
from mlstack.registry.loaded_model import LoadedModel
from mlstack.web.problems import NotFound, UnknownVersion

MODEL = "model"
PREFIX = "/v2"
OUTPUTS = {"predictions": [-1], "intervals": [-1, 2], "confidence": [-1]}
Name = Annotated[str, Path(max_length=64)]
Version = Annotated[str, Path(max_length=10)]

_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}}
ROUTER: dict[str, Any] = {
    "prefix": PREFIX,
    "tags": ["open inference protocol"],
    "responses": {
        status: {"description": "An error", "content": {"application/json": {"schema": _ERROR}}}
        for status in (400, 404, 413, 415, 422, 503)
    },
}


async def select(service: Service, name: str, version: str | None) -> LoadedModel:
    """Return the requested model; raise NotFound or UnknownVersion."""
    check_name(name)
    if version and not version.isdecimal():
        raise UnknownVersion(f"expected a version number; got {version}")
    return await service.intake.model(int(version) if version else None)


def check_name(name: str) -> None:
    """Raise NotFound for any name but the model's."""
    if name != MODEL:
        raise NotFound(f"there is no model {name}; its name is {MODEL}")
