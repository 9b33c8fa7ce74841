"""POST /jobs and GET /jobs/{id}."""

from __future__ import annotations

import hashlib
from typing import Annotated, cast
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from api.dependencies import PIECE_BYTES, CurrentService, CurrentShare, ResponseInPieces, UntilSent
from api.jobs.reports import State
from api.jobs.schemas import REQUEST_BODY, JobReport, Submission, problems
from api.jobs.service import JobService
from api.prediction.identifiers import Identity, identify
from api.prediction.intake import Question
from mlstack.web.request_ids import HEADER

router = APIRouter(tags=["jobs"])
_encode = msgspec.json.Encoder().encode


def _jobs(request: Request) -> JobService:
    return cast("JobService", request.app.state.jobs)


CurrentJobs = Annotated[JobService, Depends(_jobs)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A repeated request with the same key gets the same job: use a new UUID for each job.",
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
    request: Request,
    service: CurrentService,
    jobs: CurrentJobs,
    share: CurrentShare,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Accept a prediction to be made later; fetch the result at Location. Accepted jobs are never lost."""
    jobs.check_accepting()
    headers = dict(request.scope["headers"])
    identity = identify(headers)
    question = await service.intake.question(headers, request.receive, share, later=True)
    report = await jobs.submit(_submission(identity, question, idempotency_key))
    location = f"/jobs/{msgspec.json.decode(report, type=State).id}"
    reply = {"Location": location, "Retry-After": "1", HEADER: identity.request}
    return Response(report, 202, reply, "application/json")


@router.get(
    "/jobs/{job_id}",
    response_model=JobReport,
    response_model_exclude_none=True,
    responses=problems(404, 422, 503),
)
async def job_report(
    job_id: UUID, jobs: CurrentJobs, share: CurrentShare, until_sent: UntilSent, wait: Wait = 0
) -> Response:
    """Report on a job; with `wait`, when it has finished or after that many seconds."""
    report = await until_sent.enter_async_context(jobs.report(str(job_id), wait))
    share.resize(min(len(report), PIECE_BYTES))
    return ResponseInPieces(report, media_type="application/json")


def _submission(identity: Identity, question: Question, idempotency_key: str | None) -> Submission:
    model, (rows, sent, named), version = question
    content = rows.tobytes() if sent is None else sent.encode()
    return Submission(
        *identity.prediction,
        rows=_encode(rows.tolist()).decode() if sent is None else sent,
        columns=_encode(model.features).decode() if named else None,
        asked_version=version,
        request_id=identity.request,
        idempotency_key=idempotency_key,
        fingerprint=hashlib.sha256(_encode((rows.shape, version)) + content).digest(),
    )
