"""The form of errors of MLflow's scoring protocol."""

from __future__ import annotations

from typing import Any

import msgspec

PATHS = frozenset({"/invocations", "/ping", "/version"})

_CODES = {
    401: "UNAUTHENTICATED",
    404: "RESOURCE_DOES_NOT_EXIST",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}
_TEXT = {"type": "string"}
_SCHEMA = {
    "type": "object",
    "required": ["error_code", "message"],
    "properties": {"error_code": _TEXT, "message": _TEXT},
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": "An error", "content": {"application/json": {"schema": _SCHEMA}}}
    for status in (400, 413, 415, 503)
}


def error_form(path: str, status: int, detail: str) -> tuple[int, bytes] | None:
    """Return the status and the body of an error at one of PATHS, None elsewhere."""
    if path not in PATHS:
        return None
    body = {"error_code": _CODES.get(status, "BAD_REQUEST"), "message": detail}
    return 400 if status == 422 else status, msgspec.json.encode(body)
