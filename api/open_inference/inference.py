"""The protocol's inference requests. They go through the same batcher, cache and log as POST /predict."""

from __future__ import annotations

import time
from functools import partial

import msgspec
from fastapi import APIRouter, Request, Response

from api.dependencies import CurrentService, CurrentShare, WholeResponse
from api.http_server.memory import Share
from api.model_name import MODEL, Name
from api.open_inference.inputs import check_columns, column_rows, number_rows
from api.open_inference.messages import InferenceRequest, InferenceResponse, RequestedOutput
from api.open_inference.naming import ROUTER, Version, select
from api.open_inference.outputs import Answered, outputs_of, requested_outputs, write_outputs
from api.open_inference.tensors import read_tensors
from api.prediction.identifiers import identify
from api.prediction.intake import Intake, parse
from mlstack.inference.loaded_model import LoadedModel
from mlstack.web.bodies import decode_json
from mlstack.web.problems import InvalidInput
from mlstack.web.rows import Rows

_LENGTH = "Inference-Header-Content-Length"
_LONGEST_LENGTH = 10  # digits
_FEW = 8  # lists and objects beside those of rows and tensors
_EXPECTED = "an inference request of the Open Inference Protocol"

router = APIRouter(**ROUTER)


_decode_answer = msgspec.json.Decoder(Answered).decode
_decode_request = msgspec.json.Decoder(InferenceRequest)


@router.post("/models/{name}/infer")
@router.post("/models/{name}/versions/{version}/infer")
async def infer(
    service: CurrentService, request: Request, share: CurrentShare, name: Name, version: Version | None = None
) -> Response:
    """Predict from one tensor per column, or one [n, features] of numbers; JSON or binary."""
    started = time.perf_counter()
    intake = service.intake
    headers = dict(request.scope["headers"])
    model = await select(service, name, version, headers)
    body = await intake.body(headers, request.receive, share)
    length = _header_length(request.headers.get(_LENGTH), len(body))
    lists = intake.max_rows + 8 * len(model.features) + _FEW
    decode = partial(decode_json, _decode_request, expected=_EXPECTED, most_lists=lists, objects=True)
    asked = await parse(decode, body[:length])
    wanted = requested_outputs(asked, outputs_of(model))
    rows = _rows(intake, asked, memoryview(body)[length:], model, share)
    content, sent = rows.encoded.tobytes(), rows.sent
    del body, rows  # what waits is the content alone
    asked.inputs.clear()
    identity = identify(headers)
    answer = await service.batcher.answer(identity, model, content, started, sent)
    response = _respond(model, asked, wanted, _decode_answer(answer))
    share.resize(2 * len(response.body))
    return response


def _rows(
    intake: Intake, asked: InferenceRequest, binary: memoryview, model: LoadedModel, share: Share
) -> Rows:
    """Return the checked rows of the request's tensors."""
    if model.plain:
        most = intake.max_rows * model.n_features
        tensors = read_tensors(asked, binary, model.n_features, most)
        return Rows(intake.rows(number_rows(tensors, model.features), model, share))
    check_columns([tensor.name for tensor in asked.inputs], model.columns)
    tensors = read_tensors(asked, binary, model.n_features, intake.max_rows)
    return intake.cells(column_rows(tensors, model.columns), model, share)


def _header_length(header: str | None, total: int) -> int:
    if header is None:
        return total
    plain = header.isascii() and header.isdigit() and len(header) <= _LONGEST_LENGTH
    if not plain or int(header) > total:
        raise InvalidInput(f"expected {_LENGTH} to be at most the body's {total} bytes; got {header[:20]}")
    return int(header)


def _respond(
    model: LoadedModel, asked: InferenceRequest, wanted: list[RequestedOutput], answer: Answered
) -> Response:
    binary_by_default = bool(asked.parameters and asked.parameters.binary_data_output)
    outputs, binary = write_outputs(outputs_of(model), answer, wanted, binary_by_default)
    parameters = {"prediction_id": answer.id, "cached": answer.cached}
    response = InferenceResponse(MODEL, str(answer.model_version), outputs, asked.id or answer.id, parameters)
    head = msgspec.json.encode(response)
    if not binary:
        return WholeResponse(head, media_type="application/json")
    headers = {_LENGTH: str(len(head))}
    return WholeResponse(head + binary, media_type="application/octet-stream", headers=headers)
