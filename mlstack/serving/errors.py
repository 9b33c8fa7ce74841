"""Turns every failure into a problem document with the request's id; one handler per kind."""

from __future__ import annotations

import logging

from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from mlstack.inference.predictors import PredictionOverflow
from mlstack.web.problems import CONTENT_TYPE, DETAILS, InvalidInput, Problem, problem_body

logger = logging.getLogger(__name__)


def add_error_handlers(app: Flask) -> None:
    """Answer every exception of a request with application/problem+json."""

    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return Response(error.body(g.request_id), error.status, error.headers())

    @app.errorhandler(PredictionOverflow)
    def overflow(error: PredictionOverflow) -> Response:
        return problem(InvalidInput(f"expected numbers within the model's range: {error}"))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        detail = DETAILS.get(status) or error.description or "the request cannot be answered"
        headers = {name: value for name, value in error.get_headers() if name == "Allow"}
        return Response(
            problem_body(status, detail, g.request_id), status, headers, content_type=CONTENT_TYPE
        )

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        logger.error("request failed", extra={"request_id": g.request_id}, exc_info=error)
        body = problem_body(500, DETAILS[500], g.request_id)
        return Response(body, 500, content_type=CONTENT_TYPE)
