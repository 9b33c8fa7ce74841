"""The media types that POST /invocations takes, and how its body is described."""

from __future__ import annotations

from typing import Any

from mlstack.web.bodies import check_json
from mlstack.web.problems import UnsupportedMediaType

_CSV = "text/csv"
_ARRAY = {"type": "array", "minItems": 1}
_SPLIT = {
    "type": "object",
    "required": ["columns", "data"],
    "properties": {"columns": {"type": "array", "items": {"type": "string"}}, "data": _ARRAY},
}
_FORMATS: dict[str, dict[str, Any]] = {
    "dataframe_split": _SPLIT,
    "dataframe_records": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    "instances": _ARRAY,
    "inputs": {"type": ["array", "object"]},
}
_SCHEMA = {
    "type": "object",
    "oneOf": [{"required": [name], "properties": {name: schema}} for name, schema in _FORMATS.items()],
}
REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": _SCHEMA, "example": {"inputs": [[5.0]]}},
        _CSV: {"schema": {"type": "string"}, "example": "x\n5.0\n"},
    },
}


def is_csv(content_type: str) -> bool:
    """Return whether the header declares CSV; raise UnsupportedMediaType for anything but that and JSON."""
    media_type, *parameters = [part.strip().lower() for part in content_type.split(";")]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip('" ') not in {"utf-8", "utf8"}:
            raise UnsupportedMediaType(f"expected UTF-8; got charset {value[:40]}")
    if media_type == _CSV:
        return True
    check_json(content_type)
    return False
