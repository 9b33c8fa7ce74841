"""The protocol's inference requests. They go through the same batcher, cache and log as POST /predict."""

from __future__ import annotations

import time

import msgspec
import numpy as np
from fastapi import APIRouter, Request, Response

from api.dependencies import CurrentService, CurrentShare, WholeResponse
from api.model_name import MODEL, Name
from api.open_inference.messages import InferenceRequest, InferenceResponse, RequestedOutput
from api.open_inference.naming import OUTPUTS, ROUTER, Version, select
from api.open_inference.tensors import read_inputs, requested_outputs, write_outputs
from api.prediction.identifiers import identify
from mlstack.web.bodies import decode_json
from mlstack.web.problems import InvalidInput

_LENGTH = "Inference-Header-Content-Length"
_LONGEST_LENGTH = 10  # digits
_EXPECTED = "an inference request of the Open Inference Protocol"

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
    service: CurrentService, request: Request, share: CurrentShare, name: Name, version: Version | None = None
) -> Response:
    """Predict from one tensor [n, features], or from one tensor per feature; JSON or binary."""
    started = time.perf_counter()
    intake = service.intake
    model = await select(service, name, version)
    headers = dict(request.scope["headers"])
    body = await intake.body(headers, request.receive, share)
    length = _header_length(request.headers.get(_LENGTH), len(body))
    lists = intake.max_rows + 4 * len(model.features)
    asked = decode_json(_decode_request, body[:length], _EXPECTED, lists)
    outputs = requested_outputs(asked)
    rows = intake.rows(read_inputs(asked, memoryview(body)[length:], model.features), model, share)
    content = rows.tobytes()
    del body, rows  # what waits is the content alone
    asked.inputs.clear()
    identity = identify(headers)
    answer = await service.batcher.answer(identity, model, content, started)
    response = _respond(asked, outputs, _decode_answer(answer))
    share.resize(2 * len(response.body))
    return response


def _header_length(header: str | None, total: int) -> int:
    if header is None:
        return total
    plain = header.isascii() and header.isdigit() and len(header) <= _LONGEST_LENGTH
    if not plain or int(header) > total:
        raise InvalidInput(f"expected {_LENGTH} to be at most the body's {total} bytes; got {header[:20]}")
    return int(header)


def _respond(asked: InferenceRequest, wanted: list[RequestedOutput], answer: _Answered) -> Response:
    columns = {name: np.array(getattr(answer, name), dtype=np.float64) for name in OUTPUTS}
    binary_by_default = bool(asked.parameters and asked.parameters.binary_data_output)
    outputs, binary = write_outputs(columns, wanted, binary_by_default)
    parameters = {"prediction_id": answer.id, "cached": answer.cached}
    response = InferenceResponse(MODEL, str(answer.model_version), outputs, asked.id or answer.id, parameters)
    head = msgspec.json.encode(response)
    if not binary:
        return WholeResponse(head, media_type="application/json")
    headers = {_LENGTH: str(len(head))}
    return WholeResponse(head + binary, media_type="application/octet-stream", headers=headers)
