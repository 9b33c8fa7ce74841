"""The protocol's metadata, health and repository endpoints."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from api.dependencies import CurrentService
from api.model_name import MODEL, Name, check_name
from api.open_inference.inputs import describe_inputs
from api.open_inference.naming import ROUTER, Version, select
from api.open_inference.outputs import outputs_of
from mlstack.web.problems import InvalidInput

router = APIRouter(**ROUTER)


@router.get("")
async def server_metadata() -> dict[str, Any]:
    """Return the server's name, version and protocol extensions."""
    extensions = ["binary_tensor_data", "model_repository"]
    return {"name": "ml-stack", "version": "1.0.0", "extensions": extensions}


@router.get("/health/live")
async def server_live() -> dict[str, bool]:
    """Report that the server is running."""
    return {"live": True}


@router.get("/health/ready")
async def server_ready(service: CurrentService) -> dict[str, bool]:
    """Report that the current model is ready."""
    service.check_ready()
    return {"ready": True}


@router.get("/models/{name}")
@router.get("/models/{name}/versions/{version}")
async def model_metadata(
    service: CurrentService, name: Name, version: Version | None = None
) -> dict[str, Any]:
    """Describe the model's inputs and outputs; `classes`, as JSON, is the order of the probabilities."""
    model = await select(service, name, version)
    outputs = outputs_of(model).items()
    described: dict[str, Any] = {
        "name": MODEL,
        "versions": [str(number) for number in service.models.promoted()],
        "platform": f"scikit-learn_{model.estimator_name}",
        "inputs": describe_inputs(model),
        "outputs": [{"name": key, "datatype": each.datatype, "shape": each.shape} for key, each in outputs],
    }
    if model.classes:
        described["properties"] = {"classes": msgspec.json.encode(model.classes).decode()}
    return described


@router.get("/models/{name}/ready")
@router.get("/models/{name}/versions/{version}/ready")
async def model_ready(service: CurrentService, name: Name, version: Version | None = None) -> dict[str, Any]:
    """Report that the model, or the given version, is ready."""
    await select(service, name, version)
    return {"name": MODEL, "ready": True}


@router.post("/repository/index")
async def repository_index(service: CurrentService) -> Response:
    """List the versions that may be served."""
    versions = [
        {"name": MODEL, "version": str(n), "state": "READY", "reason": ""} for n in service.models.promoted()
    ]
    return JSONResponse(versions)


@router.post("/repository/models/{name}/load")
async def load(service: CurrentService, name: Name) -> dict[str, Any]:
    """Check for a newly promoted version now instead of within a second."""
    check_name(name)
    await asyncio.to_thread(service.models.current.refresh)
    return {"name": MODEL, "version": str(service.models.select(None).version)}


@router.post("/repository/models/{name}/unload")
async def unload(name: Name) -> Response:
    """Refuse: the model volume determines the served version, for all replicas at once."""
    check_name(name)
    raise InvalidInput(
        "the model cannot be unloaded here; roll back or promote with: docker compose run --rm models"
    )
