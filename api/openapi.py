"""The OpenAPI document: its sections, and POST /predict, which FastAPI does not route."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Request
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from api.dependencies import require_key
from api.prediction.endpoint import PATH
from mlstack.web.instances import PredictRequest

SECTIONS = [  # of the documentation page, in this order
    {"name": "prediction", "description": "Synchronous predictions."},
    {"name": "jobs", "description": "Asynchronous predictions (profile async)."},
    {"name": "feedback", "description": "The true values of earlier predictions."},
    {"name": "health", "description": "For probes, load balancers and Prometheus."},
    {"name": "open inference protocol", "description": "The same model for clients of KServe and Triton."},
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


_PROBLEMS = {
    400: "The body is not JSON",
    404: "The model version asked for may not be served",
    413: "The body is too large",
    415: "The body is not declared as JSON",
    422: "The body is JSON, but not what the model takes",
    503: "No model, overloaded, or the prediction cannot be logged; see Retry-After",
}


def describe_predict(app: FastAPI) -> None:
    """Make `app.openapi()` include the hot path."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = generate()
            _, components = msgspec.json.schema_components(
                (PredictRequest, Prediction, ProblemDetails), ref_template=_REF
            )
            components["PredictRequest"]["oneOf"] = [_given(name) for name in _LISTS]
            schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
            schema["paths"][PATH] = {"post": _operation()}
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


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
    body["content"]["application/json"]["examples"] = {
        "one feature, three rows": {"value": {"features": [1.0, 2.0, 3.0]}},
        "rows": {"value": {"instances": [[5.0]], "model_version": 1}},
    }
    return {
        "summary": "Predict",
        "description": "One feature: every element of a flat list is a row. More: a flat list is one row.",
        "operationId": "predict",
        "tags": ["prediction"],
        "requestBody": body,
        "responses": {"200": ok, **problems},
    }


def _content(media_type: str, name: str) -> dict[str, Any]:
    return {"content": {media_type: {"schema": {"$ref": _REF.format(name=name)}}}}
