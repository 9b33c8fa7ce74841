"""GET /models/compare: the numbers of `models compare`, as JSON."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Query, Request, Response

from api.challengers.comparing import Comparisons
from api.problem_documents import problem_documents

router = APIRouter(tags=["model"])

_PROBLEMS = {
    404: "There is no such version, or no shadow",
    409: "The version is the current one",
    422: "The version is no number of a version",
    503: "PostgreSQL cannot be reached, or no model is loaded",
}
_NUMBER = {"type": ["number", "null"]}
_COMPARISON = {
    "type": "object",
    "required": ["version", "current_version", "requests", "rows", "truths", "conclusion"],
    "properties": {
        "version": {"type": "integer"},
        "current_version": {"type": "integer"},
        "requests": {"type": "integer"},
        "rows": {"type": "integer"},
        "mean_difference": _NUMBER | {"description": "Of predicted numbers, absolute"},
        "max_difference": _NUMBER,
        "differing_share": _NUMBER | {"description": "Share of the rows with another predicted class"},
        "truths": {
            "type": ["object", "null"],
            "description": "Both errors where true values are known, and the p-value of their difference",
            "properties": {
                "requests": {"type": "integer"},
                "rows": {"type": "integer"},
                "measure": {"enum": ["rmse", "log_loss"]},
                "current": {"type": "number"},
                "challenger": {"type": "number"},
                "p_value": _NUMBER,
                "test": {"type": "string"},
            },
        },
        "conclusion": {"type": "string", "description": "What the numbers mean, in a sentence"},
    },
}


@router.get(
    "/models/compare",
    responses={
        200: {"description": "The comparison", "content": {"application/json": {"schema": _COMPARISON}}},
        **problem_documents(_PROBLEMS),
    },
)
async def compare(
    request: Request,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Without it the shadow")] = None,
) -> Response:
    """Compare the shadow, or a version that was one, with the current version on the newest requests."""
    comparisons = cast("Comparisons", request.app.state.comparisons)
    return Response(await comparisons.compare(version), media_type="application/json")
