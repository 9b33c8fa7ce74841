"""The endpoints: HTTP only. Problems are handled in `errors`."""

from __future__ import annotations

import json

from flask import Blueprint, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST

from mlstack.serving.answers import ENDPOINTS, describe_answer, describe_model
from mlstack.serving.body import read_body
from mlstack.serving.services import services
from mlstack.web.bodies import check_json
from mlstack.web.callers import ADDRESS
from mlstack.web.probes import LIVE, ready
from mlstack.web.problems import InvalidInput
from mlstack.web.requests import decode_rows
from mlstack.web.rows import read_rows

LARGEST_SAMPLE = 1000

routes = Blueprint("routes", __name__)


@routes.get("/")
def index() -> Response:
    """API information and model status."""
    model = services().models.current.get()
    return answer({"name": "model-serve", "model": describe_model(model), "endpoints": ENDPOINTS})


@routes.post("/predict")
def predict() -> Response:
    """One prediction per row, all from one model version."""
    check_json(request.content_type)
    settings = services().settings
    asked = decode_rows(read_body(request, settings.max_body_bytes), settings.max_rows)
    models = services().models
    model = models.select(asked.model_version, _caller() if models.challengers.canary else b"")
    rows = read_rows(asked, model, settings.max_rows).encoded
    with models.challengers.watching(model):
        described = describe_answer(model, rows)
    g.model_version = model.version
    services().metrics.instances.inc(len(rows))
    return answer(described)


@routes.get("/data/sample")
def data_sample() -> Response:
    """The first rows of the table that the model was trained on."""
    limit = read_limit(request.args.get("limit", "10"))
    table = services().models.select(None).manifest.provenance.table
    rows = services().data.sample(table, limit)
    return answer({"table": table, "count": len(rows), "data": rows})


@routes.get("/health")
def health() -> Response:
    """Health check with database and model status."""
    status, report = services().health.report()
    return answer(report, status)


@routes.get("/livez")
def livez() -> Response:
    """The process is running."""
    return answer(LIVE)


@routes.get("/readyz")
def readyz() -> Response:
    """A model is loaded and the server is not draining."""
    return answer(ready(services().health.check_ready()))


@routes.get("/metrics")
def metrics() -> Response:
    """Prometheus metrics of this replica."""
    return Response(services().metrics.render(), content_type=CONTENT_TYPE_LATEST)


def answer(content: object, status: int = 200) -> Response:
    """Return `content` as JSON, spaced as "Multi-Container Data Pipeline Project" has it; refuse NaN."""
    return Response(json.dumps(content, allow_nan=False) + "\n", status, mimetype="application/json")


def _caller() -> bytes:
    """Return what stands for the caller."""
    given = (services().settings.callers.header, ADDRESS)
    headers = {name.lower().encode(): request.headers.get(name, "").encode("latin-1") for name in given}
    return services().settings.callers.of(headers)


def read_limit(text: str) -> int:
    """Return the requested number of rows; raise InvalidInput naming the range."""
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= LARGEST_SAMPLE):
        raise InvalidInput(f"expected limit to be a whole number from 1 to {LARGEST_SAMPLE}")
    return int(text)
