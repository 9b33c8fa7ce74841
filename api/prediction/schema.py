"""The JSON Schemas of a model's requests and answers, and an example of each kind of request."""

from __future__ import annotations

from typing import Any

from mlstack.inference.loaded_model import LoadedModel
from mlstack.registry.columns import Column, class_key

Schema = dict[str, Any]

_KINDS = {"number": "number", "boolean": "boolean", "category": "string"}
_NO_NUL = "^[^\\u0000]*$"  # PostgreSQL cannot store it
_PROBABILITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def rows_schema(model: LoadedModel) -> Schema:
    """Return the schema of `values`, `features` and `instances`."""
    columns = model.columns
    cells = [_cell(column) for column in columns]
    each = (
        cells[0]
        if len(cells) == 1
        else {"anyOf": [cell for n, cell in enumerate(cells) if cell not in cells[:n]]}
    )
    by_position = {
        "type": "array",
        "description": f"One row: {', '.join(column.name for column in columns)}",
        "items": each,
        "minItems": len(columns),
        "maxItems": len(columns),
    }
    by_name = {
        "type": "object",
        "properties": {column.name: cell for column, cell in zip(columns, cells, strict=True)},
        "required": [column.name for column in columns],
        "additionalProperties": False,
    }
    rows = {"type": "array", "items": {"anyOf": [by_position, by_name]}, "minItems": 1}
    flat = {"type": "array", "items": each, "minItems": 1} if len(columns) == 1 else by_position
    return {"anyOf": [rows, flat, {"type": "null"}], "default": None}


def answer_schema(model: LoadedModel) -> Schema:
    """Return the schema of the model's answers."""
    members: Schema = {"id": {"type": "string"}}
    members |= _classifier(model) if model.classes else _regressor()
    members |= {"confidence": _list({"type": "number"})}
    names = [column.name for column in model.columns if column.kind == "category"]
    if names:
        members["unseen"] = _list(_list({"enum": names})) | {
            "description": "Each row's columns with a category that training has not seen"
        }
    members |= {"model_version": {"const": model.version}, "cached": {"type": "boolean"}}
    return {
        "type": "object",
        "description": "An answer of the current model: one entry per row",
        "properties": members,
        "required": [*members],
    }


def other_answer_schema(model: LoadedModel) -> Schema:
    """Return the schema of answers of the other versions, which may have other columns and classes."""
    return {
        "type": "object",
        "description": "An answer of another version",
        "properties": {
            "id": {"type": "string"},
            "predictions": {"type": "array"},
            "confidence": _list({"type": "number"}),
            "model_version": {"type": "integer", "not": {"const": model.version}},
            "cached": {"type": "boolean"},
        },
        "required": ["id", "predictions", "confidence", "model_version", "cached"],
    }


def examples(model: LoadedModel) -> Schema:
    """Return requests that the model answers."""
    row = {column.name: _example(column) for column in model.columns}
    values = [*row.values()]
    found: Schema = {}
    if len(values) == 1 and model.plain:
        found["one feature, three rows"] = {"features": [1.0, 2.0, 3.0]}
    found["by name"] = {"instances": [row]}
    found["by position"] = {"instances": [values, values]}
    found["one row, this version"] = {"features": values, "model_version": model.version}
    return {name: {"value": body} for name, body in found.items()}


def _cell(column: Column) -> Schema:
    kind = _KINDS[column.kind]
    schema: Schema = {"type": [kind, "null"] if column.nullable else kind}
    if column.kind == "category":
        schema["pattern"] = _NO_NUL
        schema["examples"] = list(column.categories)
        schema["description"] = "Other texts are answered, too, and flagged as unseen"
    elif column.low is not None and column.high is not None:
        schema["description"] = f"In training from {column.low:g} to {column.high:g}"
    return schema


def _example(column: Column) -> object:
    """Return NULL where it is allowed, else the first category, or the middle of the range."""
    if column.nullable:
        return None
    if column.kind == "boolean":
        return True
    if column.kind == "category":
        return column.categories[0] if column.categories else ""
    if column.low is None or column.high is None:
        return 1.0
    return float(f"{column.low / 2 + column.high / 2:.4g}")


def _regressor() -> Schema:
    pair = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    return {
        "predictions": _list({"type": "number"}),
        "intervals": _list(pair) | {"description": "The 95 % prediction interval of each row"},
    }


def _classifier(model: LoadedModel) -> Schema:
    label = {"enum": list(model.classes)}
    keys = [class_key(known) for known in model.classes]
    probabilities = {
        "type": "object",
        "properties": dict.fromkeys(keys, _PROBABILITY),
        "required": keys,
        "additionalProperties": False,
    }
    return {
        "predictions": _list(label),
        "probabilities": _list(probabilities),
        "prediction_sets": _list(_list(label) | {"minItems": 1})
        | {"description": "With 95 % probability the true class is among them"},
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}
