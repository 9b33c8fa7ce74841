"""Output tensors: what a model has, what a request wants of them, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from api.open_inference.messages import InferenceRequest, OutputTensor, RequestedOutput
from mlstack.inference.loaded_model import LoadedModel
from mlstack.registry.columns import Class, class_key
from mlstack.web.problems import InvalidInput


class Answered(msgspec.Struct):
    """The members of an answer of POST /predict, an entry for each row."""

    id: str
    predictions: list[Any]
    confidence: list[float]
    model_version: int
    cached: bool
    intervals: list[tuple[float, float]] | None = None
    probabilities: list[dict[str, float]] | None = None
    prediction_sets: list[list[Class]] | None = None
    unseen: list[list[str]] | None = None


class Output(NamedTuple):
    """An output; `elements` returns those of an answer, row after row."""

    datatype: str
    shape: list[int]  # -1: as many as there are rows
    elements: Callable[[Answered], list[Any]]


def outputs_of(model: LoadedModel) -> dict[str, Output]:
    """Return the model's outputs by name."""
    outputs = {
        "predictions": Output(_datatype(model.classes), [-1], lambda found: found.predictions),
        **(_class_outputs(model.classes) if model.classes else _REGRESSOR_OUTPUTS),
        "confidence": Output("FP64", [-1], lambda found: found.confidence),
    }
    if any(column.kind == "category" for column in model.columns):
        names = model.features
        outputs["unseen"] = Output("BOOL", [-1, len(names)], lambda found: _marked(names, found.unseen))
    return outputs


def requested_outputs(request: InferenceRequest, outputs: dict[str, Output]) -> list[RequestedOutput]:
    """Return the outputs asked for, all without a wish; raise InvalidInput for unknown or repeated ones."""
    wanted = request.outputs or [RequestedOutput(name) for name in outputs]
    for output in wanted:
        if output.name not in outputs:
            raise InvalidInput(f"expected outputs of {', '.join(outputs)}; got {output.name[:64]}")
    if len({output.name for output in wanted}) != len(wanted):
        raise InvalidInput("expected each output to be asked for once: the answer would have no bound")
    return wanted


def write_outputs(
    outputs: dict[str, Output], answer: Answered, wanted: list[RequestedOutput], binary_by_default: bool
) -> tuple[list[OutputTensor], bytes]:
    """Return the requested outputs, and the binary part of the answer."""
    tensors, parts, rows = [], [], len(answer.predictions)
    for request in wanted:
        output = outputs[request.name]
        shape = [rows if size == -1 else size for size in output.shape]
        tensor = OutputTensor(request.name, output.datatype, shape)
        asked = request.parameters.binary_data if request.parameters else None
        if binary_by_default if asked is None else asked:
            raw = _binary(output.datatype, output.elements(answer))
            tensor.parameters = {"binary_data_size": len(raw)}
            parts.append(raw)
        else:
            tensor.data = output.elements(answer)
        tensors.append(tensor)
    return tensors, b"".join(parts)


def _binary(datatype: str, elements: list[Any]) -> bytes:
    if datatype != "BYTES":
        return np.array(elements, dtype={"FP64": "<f8", "INT64": "<i8", "BOOL": "?"}[datatype]).tobytes()
    texts = [text.encode() for text in elements]
    return b"".join([len(text).to_bytes(4, "little") + text for text in texts])


def _datatype(classes: Sequence[Class]) -> str:
    if not classes:
        return "FP64"
    return {bool: "BOOL", int: "INT64", str: "BYTES"}[type(classes[0])]


def _flat(rows: list[Any]) -> list[Any]:
    return [element for row in rows for element in row]


def _marked(names: Sequence[Class], rows: list[Any] | None) -> list[bool]:
    """Return for each row which of the names are in its list."""
    return _flat([[name in row for name in names] for row in rows or []])


def _class_outputs(classes: Sequence[Class]) -> dict[str, Output]:
    keys = [class_key(label) for label in classes]
    return {
        "probabilities": Output(
            "FP64",
            [-1, len(keys)],
            lambda found: _flat([[row[key] for key in keys] for row in found.probabilities or []]),
        ),
        "prediction_sets": Output(
            "BOOL", [-1, len(keys)], lambda found: _marked(classes, found.prediction_sets)
        ),
    }


_REGRESSOR_OUTPUTS = {"intervals": Output("FP64", [-1, 2], lambda found: _flat(found.intervals or []))}
