"""How the OpenAPI document describes the problems that a route answers with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}


def problem_documents(descriptions: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Return the responses by status, each with its description."""
    return {status: {"description": text, "content": _CONTENT} for status, text in descriptions.items()}
