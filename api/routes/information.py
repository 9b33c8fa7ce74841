"""Redirect to the documentation, and the metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api import metrics
from api.dependencies import CurrentService

router = APIRouter()


@router.get("/", include_in_schema=False)
async def root(request: Request) -> Response:
    """Redirect a browser to the documentation; tell a client of KServe V1 that the server is alive."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/docs")
    return JSONResponse({"status": "alive", "documentation": "/docs"})


@router.get(
    "/metrics", response_class=Response, tags=["health"], responses={200: {"content": {"text/plain": {}}}}
)
async def metrics_page(service: CurrentService) -> Response:
    """Return the metrics in Prometheus' text format."""
    metrics.store_up.labels("postgres").set(service.log.database_available)
    metrics.store_up.labels("redis").set(service.redis.available)
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)
