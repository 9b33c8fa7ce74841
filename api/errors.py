"""Turns FastAPI's errors into RFC 9457 problem details, as all errors here."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.http_server.asgi import ClientGone
from api.http_server.metrics import CLIENT_GONE
from api.kserve_v1 import errors as kserve_v1
from api.mlflow_scoring import errors as mlflow_scoring
from api.open_inference import naming as open_inference
from mlstack.web import request_ids
from mlstack.web.problems import CONTENT_TYPE, DETAILS, InvalidInput, Problem, problem_body

logger = logging.getLogger(__name__)

_FORMS = (open_inference.error_form, kserve_v1.error_form, mlflow_scoring.error_form)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every exception that leaves a route as a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(ClientGone, _client_gone)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _respond(request, error.status, error.detail, error.headers())


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = DETAILS.get(error.status_code, error.detail)
    return _respond(request, error.status_code, detail, dict(error.headers or {}))


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    findings = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    return await _problem(request, InvalidInput(findings))


async def _client_gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_GONE)  # for the metrics only: the client has left


async def _unexpected(request: Request, error: Exception) -> Response:
    logger.error("request failed", exc_info=error, extra={"path": request.url.path})
    return _respond(request, 500, DETAILS[500], {})


def _respond(request: Request, status: int, detail: str, headers: dict[str, str]) -> Response:
    """Return problem details, or the form that the path's protocol requires."""
    request_id = request_ids.request_id(request.headers.get(request_ids.HEADER))
    headers[request_ids.HEADER] = request_id
    for error_form in _FORMS:
        formed = error_form(request.url.path, status, detail)
        if formed is not None:
            headers["Content-Type"] = "application/json"
            return Response(formed[1], formed[0], headers)
    headers["Content-Type"] = CONTENT_TYPE
    return Response(problem_body(status, detail, request_id), status, headers)
