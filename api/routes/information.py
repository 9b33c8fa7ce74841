"""The metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api import metrics
from api.dependencies import CurrentService

router = APIRouter()


@router.get(
    "/metrics", response_class=Response, tags=["health"], responses={200: {"content": {"text/plain": {}}}}
)
async def metrics_page(service: CurrentService) -> Response:
    """Return the metrics in Prometheus' text format."""
    metrics.store_up.labels("postgres").set(service.log.database_available)
    metrics.store_up.labels("redis").set(service.redis.available)
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)
