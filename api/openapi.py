"""The OpenAPI document: its sections, and POST /predict, which FastAPI does not route."""

from __future__ import annotations

import copy
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Request
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from api.dependencies import require_key
from api.prediction.endpoint import PATH
from api.prediction.schema import answer_schema, examples, other_answer_schema, rows_schema
from api.service import Service
from mlstack.inference.loaded_model import LoadedModel
from mlstack.web.instances import PredictRequest

SECTIONS = [  # of the documentation page, in this order
    {"name": "prediction", "description": "Synchronous predictions."},
    {"name": "jobs", "description": "Asynchronous predictions (profile async)."},
    {"name": "feedback", "description": "The true values of earlier predictions."},
    {"name": "model", "description": "What a version that is tried would have answered."},
    {"name": "health", "description": "For probes, load balancers and Prometheus."},
    {
        "name": "open inference protocol",
        "description": "The same model for KServe's V2 and Triton's clients.",
    },
    {"name": "KServe V1", "description": "The same model for KServe's V1 clients."},
    {"name": "MLflow scoring", "description": "The same model for MLflow's clients."},
]

_LISTS = ("values", "features", "instances")
_REF = "#/components/schemas/{name}"


class Prediction(msgspec.Struct):
    """One entry per row: prediction, its 95 % interval, the share of the target's variance explained."""

    id: str
    predictions: list[float]
    intervals: list[Annotated[list[float], msgspec.Meta(min_length=2, max_length=2)]]
    confidence: list[float]
    model_version: int
    cached: bool


class ProblemDetails(msgspec.Struct):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str


_DESCRIPTION = """
Rows are lists in the order of the columns, or objects by the columns' names. With one column every element
of a flat list is a row; with more, a flat list is one row. What is shown here is the current model's.
"""
_PROBLEMS = {
    400: "The body is not JSON",
    404: "The model version asked for may not be served",
    413: "The body is too large",
    415: "The body is not declared as JSON",
    422: "The body is JSON, but not what the model takes",
    503: "No model, overloaded, or the prediction cannot be logged; see Retry-After",
}


def describe_predict(app: FastAPI) -> None:
    """Make `app.openapi()` include the hot path, as the current model takes and answers requests."""
    generate = app.openapi
    described: dict[str, dict[str, Any]] = {}  # by the digest of the latest model that was asked about

    def openapi() -> dict[str, Any]:
        service: Service | None = getattr(app.state, "service", None)
        model = service.models.current.get() if service else None
        digest = model.digest if model else ""
        if digest not in described:
            schema = copy.deepcopy(generate())
            _describe(schema, model)
            described.clear()
            described[digest] = schema
        return described[digest]

    app.openapi = openapi  # type: ignore[method-assign]


def _describe(schema: dict[str, Any], model: LoadedModel | None) -> None:
    """Add POST /predict to FastAPI's document."""
    types = (PredictRequest, Prediction, ProblemDetails)
    _, components = msgspec.json.schema_components(types, ref_template=_REF)
    request = components["PredictRequest"]
    request["oneOf"] = [_given(name) for name in _LISTS]
    operation = _operation()
    if model is not None:
        request["properties"] |= dict.fromkeys(_LISTS, rows_schema(model))
        current, other = _REF.format(name="CurrentPrediction"), _REF.format(name="OtherPrediction")
        components["CurrentPrediction"] = answer_schema(model)
        components["OtherPrediction"] = other_answer_schema(model)
        components["Prediction"] = {"anyOf": [{"$ref": current}, {"$ref": other}]}
        operation["requestBody"]["content"]["application/json"]["examples"] = examples(model)
    schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
    schema["paths"][PATH] = {"post": operation}


def protect_documentation(app: FastAPI) -> None:
    """Ask for the API key where FastAPI's dependencies do not reach: the document and the pages' files."""
    for route in app.router.routes:
        if isinstance(route, Mount) or (isinstance(route, Route) and route.path == app.openapi_url):
            route.app = _with_key(route.app)


def _with_key(served: ASGIApp) -> ASGIApp:
    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        await require_key(Request(scope))
        await served(scope, receive, send)

    return checked


def _given(name: str) -> dict[str, Any]:
    """Return the schema of a body with this list; null counts as absent."""
    return {"required": [name], "properties": {name: {"type": "array", "minItems": 1}}}


def _operation() -> dict[str, Any]:
    ok = _content("application/json", "Prediction") | {"description": "Predicted, and durably logged"}
    problems = {
        str(status): _content("application/problem+json", "ProblemDetails") | {"description": description}
        for status, description in _PROBLEMS.items()
    }
    body = _content("application/json", "PredictRequest") | {"required": True}
    return {
        "summary": "Predict",
        "description": _DESCRIPTION,
        "operationId": "predict",
        "tags": ["prediction"],
        "requestBody": body,
        "responses": {"200": ok, **problems},
    }


def _content(media_type: str, name: str) -> dict[str, Any]:
    return {"content": {media_type: {"schema": {"$ref": _REF.format(name=name)}}}}
