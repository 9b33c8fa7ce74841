"""FastAPI's errors in the one form every error has here: RFC 9457 problem details."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.predict import sane_request_id
from pipeline.problems import CONTENT_TYPE, InvalidInput, Problem, problem_body

logger = logging.getLogger(__name__)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every exception that leaves a route as a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(Exception, _unexpected)


def _request_id(request: Request) -> str:
    header = request.headers.get("x-request-id")
    return sane_request_id(header.encode() if header else None)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    request_id = _request_id(request)
    headers = error.headers() | {"X-Request-ID": request_id}
    return Response(error.body(request_id), error.status, headers)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if error.status_code == 404:
        detail = f"there is no {request.url.path}; see /docs for what there is"
    if error.status_code == 405:
        detail = f"{request.url.path} does not take {request.method}; see /docs for what it takes"
    request_id = _request_id(request)
    headers = {**(error.headers or {}), "X-Request-ID": request_id, "Content-Type": CONTENT_TYPE}
    return Response(problem_body(error.status_code, detail, request_id), error.status_code, headers)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    findings = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    return await _problem(request, InvalidInput(findings))


async def _unexpected(request: Request, error: Exception) -> Response:
    logger.error("unexpected error", exc_info=error, extra={"path": request.url.path})
    request_id = _request_id(request)
    body = problem_body(500, "an unexpected error; the log has it under this request_id", request_id)
    return Response(body, 500, {"Content-Type": CONTENT_TYPE, "X-Request-ID": request_id})
