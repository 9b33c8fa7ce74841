"""The protocol's endpoints. A prediction goes the same way as POST /predict: cached, batched, logged."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

import msgspec
import numpy as np
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from api.asgi import read_body
from api.cache import Answer
from api.dependencies import CurrentService
from api.identifiers import prediction_id
from api.open_inference.messages import InferenceRequest, InferenceResponse
from api.open_inference.tensors import read_inputs, write_outputs
from api.predict import sane_request_id
from api.predictor import Job
from api.service import Service
from pipeline.instances import check_rows, decode_json
from pipeline.problems import InvalidInput, NotFound, UnknownVersion
from pipeline.regression import Regression

MODEL = "model"
PREFIX = "/v2"
_LENGTH = "Inference-Header-Content-Length"
_OUTPUTS = {"predictions": [-1], "intervals": [-1, 2], "confidence": [-1]}
_ERROR = {
    "content": {
        "application/json": {"schema": {"type": "object", "properties": {"error": {"type": "string"}}}}
    }
}

router = APIRouter(
    prefix=PREFIX,
    tags=["open inference protocol"],
    responses={status: {**_ERROR, "description": "An error"} for status in (400, 404, 413, 415, 422, 503)},
)
Name = Annotated[str, Path(max_length=64)]
Version = Annotated[str, Path(max_length=10)]


class _Answered(Answer):
    """POST /predict's own answer."""

    id: str
    model_version: int
    cached: bool


_decode_answer = msgspec.json.Decoder(_Answered).decode
_decode_request = msgspec.json.Decoder(InferenceRequest)


@router.get("")
async def server_metadata() -> dict[str, Any]:
    """Say what this server is."""
    extensions = ["binary_tensor_data", "model_repository"]
    return {"name": "ml-stack", "version": "1.0.0", "extensions": extensions}


@router.get("/health/live")
async def server_live() -> dict[str, bool]:
    """Say that the server answers."""
    return {"live": True}


@router.get("/health/ready")
async def server_ready(service: CurrentService) -> dict[str, bool]:
    """Say that the current model answers."""
    service.check_ready()
    return {"ready": True}


@router.get("/models/{name}")
@router.get("/models/{name}/versions/{version}")
async def model_metadata(
    service: CurrentService, name: Name, version: Version | None = None
) -> dict[str, Any]:
    """Describe the model's inputs and outputs."""
    model = await _select(service, name, version)
    return {
        "name": MODEL,
        "versions": [str(number) for number in service.models.promoted()],
        "platform": f"scikit-learn_{model.estimator_name}",
        "inputs": [{"name": "input", "datatype": "FP64", "shape": [-1, model.n_features]}],
        "outputs": [{"name": key, "datatype": "FP64", "shape": shape} for key, shape in _OUTPUTS.items()],
    }


@router.get("/models/{name}/ready")
@router.get("/models/{name}/versions/{version}/ready")
async def model_ready(service: CurrentService, name: Name, version: Version | None = None) -> dict[str, Any]:
    """Say that the model, or that version of it, answers."""
    await _select(service, name, version)
    return {"name": MODEL, "ready": True}


@router.post("/models/{name}/infer")
@router.post("/models/{name}/versions/{version}/infer")
async def infer(
    service: CurrentService, request: Request, name: Name, version: Version | None = None
) -> Response:
    """Predict: one tensor [n, features], or one for each feature; JSON or binary."""
    started = time.perf_counter()
    model = await _select(service, name, version)
    body = await read_body(request.receive, service.settings.max_body_bytes)
    length = _header_length(request.headers.get(_LENGTH), len(body))
    asked = decode_json(_decode_request, body[:length], "an inference request of the Open Inference Protocol")
    rows = read_inputs(asked, body[length:], model.features)
    job = Job(
        id=prediction_id(request.headers.get("x-idempotency-key", "").encode()),
        request_id=sane_request_id(request.headers.get("x-request-id", "").encode()),
        model=model,
        rows=check_rows(rows, model.n_features, service.settings.max_rows),
        started=started,
        answer=asyncio.get_running_loop().create_future(),
    )
    return _respond(asked, _decode_answer(await service.predictor.submit(job)))


@router.post("/repository/index")
async def repository_index(service: CurrentService) -> Response:
    """List the versions that may be served."""
    versions = [
        {"name": MODEL, "version": str(n), "state": "READY", "reason": ""} for n in service.models.promoted()
    ]
    return JSONResponse(versions)


@router.post("/repository/models/{name}/load")
async def load(service: CurrentService, name: Name) -> dict[str, Any]:
    """Look for a newly promoted version now instead of within a second."""
    _check_name(name)
    await asyncio.to_thread(service.models.current.refresh)
    return {"name": MODEL, "version": str(service.models.select(None).version)}


@router.post("/repository/models/{name}/unload")
async def unload(name: Name) -> Response:
    """Refuse: which version is served is decided in the model volume, for all replicas at once."""
    _check_name(name)
    raise InvalidInput(
        "the model cannot be unloaded here; roll back or promote with: docker compose run --rm models"
    )


async def _select(service: Service, name: str, version: str | None) -> Regression:
    _check_name(name)
    if not version:
        return service.models.select(None)
    if not version.isdecimal():
        raise UnknownVersion(f"expected a version number; got {version}")
    return await asyncio.to_thread(service.models.select, int(version))


def _check_name(name: str) -> None:
    if name != MODEL:
        raise NotFound(f"there is no model {name}; its name is {MODEL}")


def _header_length(header: str | None, total: int) -> int:
    if header is None:
        return total
    if not (header.isascii() and header.isdigit()) or int(header) > total:
        raise InvalidInput(f"expected {_LENGTH} to be at most the body's {total} bytes; got {header[:20]}")
    return int(header)


def _respond(asked: InferenceRequest, answer: _Answered) -> Response:
    columns = {name: np.array(getattr(answer, name), dtype=np.float64) for name in _OUTPUTS}
    binary_by_default = bool((asked.parameters or {}).get("binary_data_output", False))
    outputs, binary = write_outputs(columns, asked.outputs, binary_by_default)
    parameters = {"prediction_id": answer.id, "cached": answer.cached}
    response = InferenceResponse(MODEL, str(answer.model_version), outputs, asked.id or answer.id, parameters)
    head = msgspec.json.encode(response)
    if not binary:
        return Response(head, media_type="application/json")
    return Response(head + binary, media_type="application/octet-stream", headers={_LENGTH: str(len(head))})
