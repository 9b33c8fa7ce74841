"""GET / and what the page asks for. Browsers get the page, other clients JSON."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, cast

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from api import metrics
from api.dependencies import CurrentService
from api.page.description import describe, trials
from api.page.sources import Sources
from api.routes.health import report
from api.service import Service
from mlstack.registry.regular_files import read_regular_file
from mlstack.runtime.refusals import ModelRefused
from mlstack.web.problems import NotFound, Unavailable

router = APIRouter(include_in_schema=False)

# Scripts and styles from here only; nothing is loaded from elsewhere, framed, or sent elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A report holds its own style and pictures, and no script.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
)
_FOLDER = Path(__file__).parent / "files"
_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript"}
FILES = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
_MOST_REPORT_BYTES = 8 << 20
_LINKS = {"documentation": "/docs", "openapi": "/openapi.json", "health": "/health", "predict": "/predict"}


def _sources(request: Request) -> Sources:
    return cast("Sources", request.app.state.page)


CurrentSources = Annotated[Sources, Depends(_sources)]


@router.get("/")
async def root(request: Request, service: CurrentService) -> Response:
    """Return the page to a browser, to other clients what the service is; KServe's ask for `status`."""
    if "text/html" in request.headers.get("accept", ""):
        return _file("index.html", {"Vary": "Accept"})
    return _json(
        {"name": "ml-stack inference service", "status": "alive", **_status(service), "links": _LINKS}
    )


@router.get("/page/state")
async def state(service: CurrentService, sources: CurrentSources) -> Response:
    """Return what changes: health, the last predictions, the traffic, drift and the error on true values.

    `versions` is a mark that changes when the list of versions does.
    """
    found = {
        "queue": next(iter(metrics.queue_length.collect())).samples[0].value,
        "log": await sources.traffic.latest(),
        "versions": (await sources.versions.latest()).mark,
        "trials": trials(service.models.challengers),
    }
    return _json({**_status(service), **found, **sources.neighbours.latest()})


@router.get("/page/model")
async def model(service: CurrentService) -> Response:
    """Return the current model with its picture; raise Unavailable without a model."""
    current, store = service.models.select(None), service.models.store
    return _json(await asyncio.to_thread(describe, current, store))


@router.get("/page/versions")
async def all_versions(sources: CurrentSources) -> Response:
    """Return the newest versions, the newest first."""
    return _answer((await sources.versions.latest()).content, "application/json", {})


@router.get("/page/versions/{version}/report")
async def version_report(service: CurrentService, version: int) -> Response:
    """Return the quality gate's report on a version."""
    store = service.models.store
    known = version in await asyncio.to_thread(store.versions)
    try:
        if not known:
            raise NotFound(f"there is no version {version}")
        read = (store.path(version), "report.html", _MOST_REPORT_BYTES, "")
        content = await asyncio.to_thread(read_regular_file, *read)
    except ModelRefused:
        raise NotFound(f"version {version} has no report") from None
    return _answer(content, _TYPES[".html"], {"Content-Security-Policy": REPORT_POLICY})


@router.get("/page/drift")
async def drift_report(sources: CurrentSources) -> Response:
    """Return the drift monitor's report; raise Unavailable where it does not run."""
    content = await sources.neighbours.drift_report()
    if content is None:
        raise Unavailable(
            "the drift monitor does not run: start it with --profile extended, or with monitoring"
        )
    return _answer(content, _TYPES[".html"], {"Content-Security-Policy": REPORT_POLICY})


@router.get("/page/{name}")
async def file(name: str) -> Response:
    """Return a script or style of the page."""
    if name not in FILES:
        raise NotFound("there is nothing at this path: start at GET /")
    return _file(name)


def _status(service: Service) -> dict[str, Any]:
    return {"health": report(service).model_dump(exclude_none=True)}


def _file(name: str, headers: dict[str, str] | None = None) -> Response:
    return _answer(
        FILES[name], _TYPES[Path(name).suffix], {"Content-Security-Policy": POLICY, **(headers or {})}
    )


def _json(content: object) -> Response:
    return _answer(msgspec.json.encode(content), "application/json", {})


def _answer(content: bytes, media_type: str, headers: dict[str, str]) -> Response:
    always = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return Response(content, media_type=media_type, headers={**always, **headers})
