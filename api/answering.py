"""Answers the protocols whose answers are those of POST /predict."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from api.dependencies import WholeResponse
from api.http_server.memory import Share
from api.prediction.identifiers import Headers, identify
from api.prediction.intake import Question
from api.service import Service
from mlstack.web.request_ids import HEADER

_PREDICTED = {
    "type": "object",
    "required": ["id", "predictions", "confidence", "model_version", "cached"],
    "properties": {
        "id": {"type": "string"},
        "predictions": {"type": "array"},
        "confidence": {"type": "array", "items": {"type": "number"}},
        "model_version": {"type": "integer"},
        "cached": {"type": "boolean"},
    },
}
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Predicted, and durably logged: the members of the answer of POST /predict",
        "content": {"application/json": {"schema": _PREDICTED}},
    }
}


async def answer(
    service: Service, headers: Headers, share: Share, question: Question, started: float
) -> Response:
    """Return the response to a question that has arrived at `started`; raise a Problem."""
    model, (encoded, sent, _), _ = question
    content = encoded.tobytes()
    del question, encoded  # what waits is the content alone
    identity = identify(headers)
    body = await service.batcher.answer(identity, model, content, started, sent)
    share.resize(2 * len(body))
    return WholeResponse(body, media_type="application/json", headers={HEADER: identity.request})
