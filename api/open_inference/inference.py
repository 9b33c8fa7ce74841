"""The protocol's inference requests. They go through the same batcher, cache and log as POST /predict."""

from __future__ import annotations

import time

import msgspec
import numpy as np
from fastapi import APIRouter, Request, Response

from api.dependencies import CurrentService
from api.open_inference.messages import InferenceRequest, InferenceResponse
from api.open_inference.naming import MODEL, OUTPUTS, ROUTER, Name, Version, select
from api.open_inference.tensors import read_inputs, write_outputs
from api.prediction.identifiers import identify
from mlstack.web.bodies import decode_json
from mlstack.web.problems import InvalidInput

_LENGTH = "Inference-Header-Content-Length"

router = APIRouter(**ROUTER)


class _Answered(msgspec.Struct):
    """The members of an answer of POST /predict."""

    id: str
    predictions: list[float]
    intervals: list[tuple[float, float]]
    confidence: list[float]
    model_version: int
    cached: bool


_decode_answer = msgspec.json.Decoder(_Answered).decode
_decode_request = msgspec.json.Decoder(InferenceRequest)


@router.post("/models/{name}/infer")
@router.post("/models/{name}/versions/{version}/infer")
async def infer(
    service: CurrentService, request: Request, name: Name, version: Version | None = None
) -> Response:
    """Predict from one tensor [n, features], or from one tensor per feature; JSON or binary."""
    started = time.perf_counter()
    intake = service.intake
    model = await select(service, name, version)
    body = await intake.body(request.receive)
    length = _header_length(request.headers.get(_LENGTH), len(body))
    asked = decode_json(_decode_request, body[:length], "an inference request of the Open Inference Protocol")
    rows = intake.rows(read_inputs(asked, body[length:], model.features), model)
    identity = identify(dict(request.scope["headers"]))
    answer = await service.batcher.answer(identity, model, rows, started)
    return _respond(asked, _decode_answer(answer))


def _header_length(header: str | None, total: int) -> int:
    if header is None:
        return total
    if not (header.isascii() and header.isdigit()) or int(header) > total:
        raise InvalidInput(f"expected {_LENGTH} to be at most the body's {total} bytes; got {header[:20]}")
    return int(header)


def _respond(asked: InferenceRequest, answer: _Answered) -> Response:
    columns = {name: np.array(getattr(answer, name), dtype=np.float64) for name in OUTPUTS}
    binary_by_default = bool((asked.parameters or {}).get("binary_data_output", False))
    outputs, binary = write_outputs(columns, asked.outputs, binary_by_default)
    parameters = {"prediction_id": answer.id, "cached": answer.cached}
    response = InferenceResponse(MODEL, str(answer.model_version), outputs, asked.id or answer.id, parameters)
    head = msgspec.json.encode(response)
    if not binary:
        return Response(head, media_type="application/json")
    return Response(head + binary, media_type="application/octet-stream", headers={_LENGTH: str(len(head))})
