"""Requests and responses about jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel, Field

from api.problem_documents import problem_documents


class JobProblem(BaseModel):
    """Why a job failed: RFC 9457 problem details, as POST /predict would have answered."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str


class JobReport(BaseModel):
    """A job; when completed, with the fields of POST /predict's answer, one entry per row."""

    id: UUID
    state: Literal["pending", "in_progress", "completed", "failed"]
    submitted_at: datetime
    finished_at: datetime | None = None
    predictions: list[float | bool | str] | None = None
    intervals: list[tuple[float, float]] | None = Field(default=None, description="95 % interval of each row")
    probabilities: list[dict[str, float]] | None = Field(default=None, description="of a classifier")
    prediction_sets: list[list[int | bool | str]] | None = Field(
        default=None, description="of a classifier: 95 % prediction set of each row"
    )
    confidence: list[float] | None = None
    unseen: list[list[str]] | None = Field(
        default=None, description="each row's columns with a category that training has not seen"
    )
    model_version: int | None = None
    cached: bool | None = None
    problem: JobProblem | None = None


class Submission(NamedTuple):
    """A validated request, ready to be stored."""

    id: str  # UUIDv7
    milliseconds: int  # since the epoch, as in the id
    rows: str  # JSON [n, k]
    asked_version: int | None
    request_id: str
    idempotency_key: str | None
    fingerprint: bytes  # SHA-256 of the rows and the version asked for
    columns: str | None = None  # JSON: their names, where a model of other columns must not answer


REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PredictRequest"}}},
    }
}
_PROBLEMS = {
    400: "The body is not JSON",
    404: "There is no such job, or the model version asked for may not be served",
    409: "The Idempotency-Key was used for another body",
    413: "The body is too large",
    415: "The body is not declared as JSON",
    422: "The request is well-formed, but not of the shape, type or range that is taken",
    503: "The profile async is not running, or the job cannot be stored; see Retry-After",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return a route's OpenAPI descriptions of the problems it answers with."""
    return problem_documents({status: _PROBLEMS[status] for status in statuses})
