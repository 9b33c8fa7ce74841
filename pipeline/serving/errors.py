"""Every failure becomes a problem document with the request's id; one handler per kind."""

from __future__ import annotations

import logging

from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from pipeline.problems import CONTENT_TYPE, InvalidInput, Problem, problem_body
from pipeline.regression import PredictionOverflow

log = logging.getLogger(__name__)

_DETAILS = {
    404: "there is nothing at this address: GET / lists the endpoints",
    405: "this address does not take this method: the header Allow lists those it takes",
}


def add_error_handlers(app: Flask) -> None:
    """Answer every exception of a request with application/problem+json."""

    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return Response(error.body(g.request_id), error.status, error.headers())

    @app.errorhandler(PredictionOverflow)
    def overflow(error: PredictionOverflow) -> Response:
        return problem(InvalidInput(f"expected numbers the model can answer: {error}"))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        detail = _DETAILS.get(status) or error.description or "the request cannot be answered"
        headers = {name: value for name, value in error.get_headers() if name == "Allow"}
        return Response(
            problem_body(status, detail, g.request_id), status, headers, content_type=CONTENT_TYPE
        )

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        log.error("request failed", extra={"request_id": g.request_id}, exc_info=error)
        body = problem_body(500, "the server failed; the log has the reason under this id", g.request_id)
        return Response(body, 500, content_type=CONTENT_TYPE)
