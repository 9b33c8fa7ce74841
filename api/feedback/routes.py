"""POST /feedback."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request

from api.dependencies import CurrentService, CurrentShare
from api.feedback.reading import CSV, read_entries
from api.feedback.schemas import FeedbackReport
from api.feedback.service import FeedbackService
from api.prediction.intake import parse
from api.problem_documents import problem_documents

router = APIRouter(tags=["feedback"])

_ID = "0199d2a0-0000-7000-8000-000000000000"
_VALUE: dict[str, Any] = {"type": ["number", "string", "boolean", "null"]}
_TRUTH: dict[str, Any] = {
    "type": "object",
    "required": ["id", "actual"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "The id of the prediction's answer"},
        "actual": {
            "description": "A true value for each row of the prediction, null where not known",
            "anyOf": [_VALUE, {"type": "array", "items": _VALUE, "minItems": 1}],
        },
    },
    "example": {"id": _ID, "actual": [11.3]},
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [_TRUTH, {"type": "array", "items": _TRUTH, "minItems": 1}]}
            },
            CSV: {
                "schema": {"type": "string", "pattern": "^id,actual\n", "example": f"id,actual\n{_ID},11.3\n"}
            },
        },
    }
}
_PROBLEMS = {
    400: "The body is not JSON, or not CSV",
    404: "There is no such prediction in the log",
    413: "The body is too large",
    415: "The body is declared neither as JSON nor as CSV",
    422: "The body is well-formed, but not of the shape that is taken",
    503: "PostgreSQL cannot be reached; see Retry-After",
}


def _feedback(request: Request) -> FeedbackService:
    return cast("FeedbackService", request.app.state.feedback)


@router.post(
    "/feedback",
    response_model=FeedbackReport,
    responses=problem_documents(_PROBLEMS),
    openapi_extra=_BODY,
)
async def give_feedback(
    request: Request,
    service: CurrentService,
    share: CurrentShare,
    feedback: Annotated[FeedbackService, Depends(_feedback)],
) -> FeedbackReport:
    """Record the true values of earlier predictions. A repeated request changes nothing."""
    intake, content_type = service.intake, request.headers.get("content-type", "")
    body = await intake.body(dict(request.scope["headers"]), request.receive, share)
    read = partial(read_entries, content_type=content_type, most=intake.max_rows)
    entries, single = await parse(read, body)
    return await feedback.record_one(entries[0]) if single else await feedback.record(entries)
