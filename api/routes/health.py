"""Health, liveness and readiness."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.dependencies import CurrentService
from api.service import Service
from mlstack.web import probes
from mlstack.web.probes import LIVE

router = APIRouter(tags=["health"])

Connection = Literal["connected", "unreachable"]


class HealthReport(BaseModel):
    """`healthy`; `degraded`: a store is down, predictions continue; `unhealthy`: no predictions."""

    status: Literal["healthy", "degraded", "unhealthy"]
    model_version: int | None
    model_refused: str | None = None
    database: Connection
    database_reason: str | None = None
    redis: Connection
    redis_reason: str | None = None


class Liveness(BaseModel):
    """The process is running."""

    live: bool


class Readiness(BaseModel):
    """A model is loaded and new requests are accepted."""

    ready: bool
    model_version: int


@router.get(
    "/health", responses={503: {"model": HealthReport, "description": "Predictions cannot be answered"}}
)
async def health(service: CurrentService, response: Response) -> HealthReport:
    """Report on the model and both stores without waiting: their state is monitored in the background."""
    found = report(service)
    if found.status == "unhealthy":
        response.status_code = 503
    return found


@router.get("/livez")
async def live() -> Liveness:
    """Report that the process is running."""
    return Liveness(**LIVE)


@router.get("/readyz")
async def ready(service: CurrentService) -> Readiness:
    """Report that predictions are accepted; 503 without a model, while draining, or without any store."""
    return Readiness.model_validate(probes.ready(service.check_ready()))


def report(service: Service) -> HealthReport:
    """Return the state of the model and of both stores."""
    current = service.models.current
    model = current.get()
    database, redis = service.log.database_available, service.redis.available
    if model is None or not service.log.writable or service.draining:
        status: Literal["healthy", "degraded", "unhealthy"] = "unhealthy"
    else:
        status = "healthy" if database and redis and current.refusal is None else "degraded"
    return HealthReport(
        status=status,
        model_version=model.version if model else None,
        model_refused=current.refusal,
        database="connected" if database else "unreachable",
        database_reason=None if database else service.database_address.reason,
        redis="connected" if redis else "unreachable",
        redis_reason=None if redis else service.redis_address.reason,
    )
