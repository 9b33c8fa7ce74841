"""Names, readiness and predictions. They go through the same batcher, cache and log as POST /predict."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from api.answering import ANSWER, answer
from api.dependencies import CurrentService, CurrentShare
from api.kserve_v1.errors import PREFIX, RESPONSES
from api.model_name import MODEL, Name, check_name

_SCHEMA = {
    "type": "object",
    "required": ["instances"],
    "properties": {"instances": {"type": "array", "minItems": 1}},
}
_BODY = {
    "required": True,
    "content": {"application/json": {"schema": _SCHEMA, "example": {"instances": [[5.0]]}}},
}

router = APIRouter(prefix=PREFIX, tags=["KServe V1"], responses=RESPONSES)


@router.get("/models")
async def models() -> dict[str, list[str]]:
    """List the models: there is one."""
    return {"models": [MODEL]}


@router.post("/models/{name}:predict", responses=ANSWER, openapi_extra={"requestBody": _BODY})
async def predict(service: CurrentService, request: Request, share: CurrentShare, name: Name) -> Response:
    """Predict; the body is one of POST /predict with `instances`."""
    started = time.perf_counter()
    check_name(name)
    headers = dict(request.scope["headers"])
    question = service.intake.question(headers, request.receive, share)
    return await answer(service, headers, share, await question, started)


@router.get("/models/{name}:predict", include_in_schema=False)
async def only_post() -> None:
    """Answer 405; the next route would take the verb for a part of the name."""
    raise HTTPException(405, headers={"Allow": "POST"})


@router.get("/models/{name}")
async def model_ready(service: CurrentService, name: Name) -> dict[str, Any]:
    """Report that the model is ready; 503 while it is not."""
    check_name(name)
    service.check_ready()
    return {"name": MODEL, "ready": True}
