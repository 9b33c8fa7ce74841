"""POST /invocations, through the same batcher, cache and log as POST /predict; GET /ping and GET /version."""

from __future__ import annotations

import time
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from api.answering import ANSWER, answer
from api.dependencies import CurrentService, CurrentShare
from api.mlflow_scoring.csv_body import read_csv
from api.mlflow_scoring.errors import RESPONSES
from api.mlflow_scoring.json_body import read_json
from api.mlflow_scoring.media_types import REQUEST_BODY, is_csv
from api.prediction.intake import Question, parse

_VERSION = "2.0.0"  # of MLflow, in which this protocol began

router = APIRouter(tags=["MLflow scoring"], responses=RESPONSES)


@router.get("/ping")
async def ping(service: CurrentService) -> dict[str, bool]:
    """Report that predictions are accepted; 503 while they are not."""
    service.check_ready()
    return {"ready": True}


@router.get("/version", response_class=PlainTextResponse)
async def version() -> str:
    """Return the version of MLflow in which this protocol began."""
    return _VERSION


@router.post("/invocations", responses=ANSWER, openapi_extra={"requestBody": REQUEST_BODY})
async def invoke(service: CurrentService, request: Request, share: CurrentShare) -> Response:
    """Predict from a data frame or from tensors, as JSON or CSV."""
    started = time.perf_counter()
    intake, headers = service.intake, dict(request.scope["headers"])
    body = await intake.body(headers, request.receive, share)
    read = read_csv if is_csv(headers.get(b"content-type", b"").decode("latin-1")) else read_json
    model = await intake.model(None, headers)
    values = await parse(partial(read, columns=model.columns, max_rows=intake.max_rows), body)
    rows = intake.cells(values, model, share)
    question = Question(model, rows, None)
    del body, values, rows
    return await answer(service, headers, share, question, started)
