"""POST /jobs and GET /jobs/{id}."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, cast
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from api.asgi import read_body
from api.dependencies import CurrentService
from api.identifiers import prediction_id, sane_request_id
from api.jobs.desk import JobDesk
from api.jobs.schemas import REQUEST_BODY, JobReport, Submission, problems
from api.jobs.store import Report
from pipeline.bodies import check_json
from pipeline.instances import decode_request, to_rows

router = APIRouter(tags=["jobs"])
_encode = msgspec.json.Encoder().encode


def _desk(request: Request) -> JobDesk:
    return cast("JobDesk", request.app.state.jobs)


CurrentDesk = Annotated[JobDesk, Depends(_desk)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Makes a repeated request the same job: use a fresh one, such as a UUID, for each job.",
    ),
]
Wait = Annotated[int, Query(ge=0, le=10, description="Seconds to wait for the job to finish.")]


@router.post(
    "/jobs",
    status_code=202,
    response_model=JobReport,
    response_model_exclude_none=True,
    responses=problems(400, 404, 409, 413, 415, 422, 503),
    openapi_extra=REQUEST_BODY,
)
async def submit_job(
    request: Request, service: CurrentService, desk: CurrentDesk, idempotency_key: IdempotencyKey = None
) -> Response:
    """Accept a prediction to be made later; the answer is found at Location. Accepted jobs are never lost."""
    desk.check_open()
    check_json(request.headers.get("content-type"))
    asked = decode_request(await read_body(request.receive, service.settings.max_body_bytes))
    model = await asyncio.to_thread(service.models.select, asked.model_version)
    rows = to_rows(asked.rows(), model.n_features, service.settings.max_rows)
    front_door_key = request.headers.get("x-idempotency-key", "").encode()
    request_id = sane_request_id(request.headers.get("x-request-id", "").encode() or None)
    fingerprint = hashlib.sha256(_encode((rows.shape, asked.model_version)) + rows.tobytes()).digest()
    submission = Submission(
        *prediction_id(front_door_key),
        rows=_encode(rows.tolist()).decode(),
        asked_version=asked.model_version,
        request_id=request_id,
        idempotency_key=idempotency_key,
        fingerprint=fingerprint,
    )
    report = await desk.submit(submission)
    location = f"/jobs/{msgspec.json.decode(report, type=Report).id}"
    headers = {"Location": location, "Retry-After": "1", "X-Request-ID": request_id}
    return Response(report, 202, headers, "application/json")


@router.get(
    "/jobs/{job_id}",
    response_model=JobReport,
    response_model_exclude_none=True,
    responses=problems(404, 422, 503),
)
async def job_report(job_id: UUID, desk: CurrentDesk, wait: Wait = 0) -> Response:
    """Tell how a job is; with `wait` as soon as it has finished, or when that many seconds are over."""
    return Response(await desk.report(str(job_id), wait), media_type="application/json")
