"""Tensors from and to JSON and the binary tensor data extension (row-major, little-endian)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from api.open_inference.messages import InferenceRequest, InputTensor, OutputTensor, RequestedOutput
from mlstack.runtime.arrays import FloatArray
from mlstack.web.problems import InvalidInput

DATATYPES = {
    "FP64": "<f8",
    "FP32": "<f4",
    "FP16": "<f2",
    **{
        f"{kind}{bits}": f"<{letter}{bits // 8}"
        for kind, letter in (("INT", "i"), ("UINT", "u"))
        for bits in (8, 16, 32, 64)
    },
}


def read_inputs(request: InferenceRequest, binary: bytes, features: tuple[str, ...]) -> FloatArray:
    """Return float64 rows [n, k] from one tensor of that shape, or from one tensor per feature."""
    arrays = {}
    for tensor in request.inputs:
        array, binary = _read(tensor, binary)
        arrays[tensor.name] = array
    if binary:
        raise InvalidInput(f"expected binary data for the inputs named; {len(binary)} bytes are left over")
    if len(arrays) != len(request.inputs):
        raise InvalidInput("expected inputs of different names")
    if len(arrays) > 1 or (len(features) == 1 and set(arrays) == set(features)):
        return _columns(arrays, features)
    if not arrays:
        raise InvalidInput("expected at least one input tensor")
    (array,) = arrays.values()
    return array.reshape(-1, len(features)) if array.ndim == 1 else array


def _columns(arrays: dict[str, FloatArray], features: tuple[str, ...]) -> FloatArray:
    expected = f"expected one tensor of shape [-1, {len(features)}], or one for each of {', '.join(features)}"
    if set(arrays) != set(features):
        raise InvalidInput(f"{expected}; got {', '.join(sorted(arrays))}")
    columns = [arrays[name].reshape(-1) for name in features]
    if len({len(column) for column in columns}) != 1:
        raise InvalidInput(f"{expected}, all of one length")
    return np.column_stack(columns)


def _read(tensor: InputTensor, binary: bytes) -> tuple[FloatArray, bytes]:
    """Return the tensor as float64, and the remaining binary data."""
    dtype = DATATYPES.get(tensor.datatype)
    if dtype is None:
        raise InvalidInput(
            f"input {tensor.name}: expected a datatype of {', '.join(DATATYPES)}; got {tensor.datatype}"
        )
    if not 1 <= len(tensor.shape) <= 2 or min(tensor.shape) < 0:
        raise InvalidInput(f"input {tensor.name}: expected a shape of one or two sizes; got {tensor.shape}")
    size = (tensor.parameters or {}).get("binary_data_size")
    if size is None:
        array = _from_json(tensor)
    else:
        if not isinstance(size, int) or not 0 <= size <= len(binary):
            raise InvalidInput(
                f"input {tensor.name}: expected {size} bytes of binary data; got {len(binary)}"
            )
        raw, binary = binary[:size], binary[size:]
        if size != math.prod(tensor.shape) * np.dtype(dtype).itemsize:
            raise InvalidInput(
                f"input {tensor.name}: {size} bytes are not {tensor.shape} of {tensor.datatype}"
            )
        array = np.frombuffer(raw, dtype=dtype).astype(np.float64)
    if array.size != math.prod(tensor.shape):
        raise InvalidInput(f"input {tensor.name}: expected {tensor.shape}, got {array.size} elements")
    if not np.isfinite(array).all():
        raise InvalidInput(f"input {tensor.name}: expected finite numbers; got NaN or Infinity")
    return array.reshape(tensor.shape) + 0.0, binary


def _from_json(tensor: InputTensor) -> FloatArray:
    numbers: list[float] = []
    stack: list[Any] = [tensor.data or []]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(reversed(item))
        elif isinstance(item, int | float) and not isinstance(item, bool):
            numbers.append(item)
        else:
            raise InvalidInput(f"input {tensor.name}: expected numbers; got {type(item).__name__}")
    try:
        return np.array(numbers, dtype=np.float64)
    except OverflowError:
        raise InvalidInput(f"input {tensor.name}: expected finite numbers; got one beyond 1.8e308") from None


def write_outputs(
    columns: dict[str, FloatArray], wanted: list[RequestedOutput] | None, binary_by_default: bool
) -> tuple[list[OutputTensor], bytes]:
    """Return the requested outputs, by default all, and the binary part of the answer."""
    tensors, parts = [], []
    for output in wanted or [RequestedOutput(name) for name in columns]:
        if output.name not in columns:
            raise InvalidInput(f"expected outputs of {', '.join(columns)}; got {output.name}")
        array = columns[output.name]
        tensor = OutputTensor(output.name, "FP64", list(array.shape))
        if (output.parameters or {}).get("binary_data", binary_by_default):
            raw = array.astype("<f8").tobytes()
            tensor.parameters = {"binary_data_size": len(raw)}
            parts.append(raw)
        else:
            tensor.data = array.ravel().tolist()
        tensors.append(tensor)
    return tensors, b"".join(parts)
