"""Shared by the protocol's endpoints: the model's versions, the form of errors."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from fastapi import Path

from api.model_name import check_name
from api.prediction.identifiers import Headers
from api.service import Service
from mlstack.inference.loaded_model import LoadedModel
from mlstack.web.problems import UnknownVersion

PREFIX = "/v2"
Version = Annotated[str, Path(description="The number of a promoted version.")]

_LONGEST_VERSION = 10  # digits
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}}
# For these the published document knows 200 and 400 only.
_ONLY_400 = re.compile(r"/v2/models/[^/]+(/versions/[^/]+)?(/infer)?")
ROUTER: dict[str, Any] = {
    "prefix": PREFIX,
    "tags": ["open inference protocol"],
    "responses": {
        status: {"description": "An error", "content": {"application/json": {"schema": _ERROR}}}
        for status in (400, 404, 413, 415, 503)
    },
}


async def select(
    service: Service, name: str, version: str | None, headers: Headers | None = None
) -> LoadedModel:
    """Return the requested model; raise NotFound or UnknownVersion.

    With the `headers` of a request to predict it may be the canary, otherwise it is the current one.
    """
    check_name(name)
    if version and not (version.isdecimal() and len(version) <= _LONGEST_VERSION):
        raise UnknownVersion(f"expected a version number; got {version[:64]}")
    return await service.intake.model(int(version) if version else None, headers)


def error_form(path: str, status: int, detail: str) -> tuple[int, bytes] | None:
    """Return the status and the body of an error under /v2, None elsewhere."""
    if path != PREFIX and not path.startswith(f"{PREFIX}/"):
        return None
    if status == 422 or (status == 404 and _ONLY_400.fullmatch(path)):
        status = 400
    return status, msgspec.json.encode({"error": detail})
