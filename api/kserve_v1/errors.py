"""The form of errors under /v1."""

from __future__ import annotations

from typing import Any

import msgspec

PREFIX = "/v1"

_SCHEMA = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": "An error", "content": {"application/json": {"schema": _SCHEMA}}}
    for status in (400, 404, 413, 415, 503)
}


def error_form(path: str, status: int, detail: str) -> tuple[int, bytes] | None:
    """Return the status and the body of an error under /v1, None elsewhere."""
    if not path.startswith(f"{PREFIX}/"):
        return None
    return 400 if status == 422 else status, msgspec.json.encode({"error": detail})
