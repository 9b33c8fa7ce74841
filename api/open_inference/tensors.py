"""Tensors from and to JSON and the binary tensor data extension (row-major, little-endian)."""

from __future__ import annotations

import math

import numpy as np

from api.open_inference.messages import InferenceRequest, InputTensor, OutputTensor, RequestedOutput
from api.open_inference.naming import OUTPUTS
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


def read_inputs(request: InferenceRequest, binary: memoryview, features: tuple[str, ...]) -> FloatArray:
    """Return float64 rows [n, k] from one tensor of that shape, or from one tensor per feature."""
    if len(request.inputs) > len(features):
        raise InvalidInput(f"expected at most {len(features)} inputs; got {len(request.inputs)}")
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


def _read(tensor: InputTensor, binary: memoryview) -> tuple[FloatArray, memoryview]:
    """Return the tensor as float64, and the remaining binary data."""
    dtype = DATATYPES.get(tensor.datatype)
    if dtype is None:
        raise InvalidInput(
            f"input {tensor.name}: expected a datatype of {', '.join(DATATYPES)}; got {tensor.datatype}"
        )
    size = tensor.parameters.binary_data_size if tensor.parameters else None
    if size is None:
        array = _from_json(tensor)
    else:
        if size > len(binary):
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
    try:
        return np.array(tensor.data or [], dtype=np.float64)
    except (ValueError, TypeError):
        raise InvalidInput(
            f"input {tensor.name}: expected data of one length a row, or without rows"
        ) from None


def requested_outputs(request: InferenceRequest) -> list[RequestedOutput]:
    """Return the outputs asked for, all without a wish; raise InvalidInput for unknown or repeated ones."""
    wanted = request.outputs or [RequestedOutput(name) for name in OUTPUTS]
    for output in wanted:
        if output.name not in OUTPUTS:
            raise InvalidInput(f"expected outputs of {', '.join(OUTPUTS)}; got {output.name}")
    if len({output.name for output in wanted}) != len(wanted):
        raise InvalidInput("expected each output to be asked for once: the answer would have no bound")
    return wanted


def write_outputs(
    columns: dict[str, FloatArray], wanted: list[RequestedOutput], binary_by_default: bool
) -> tuple[list[OutputTensor], bytes]:
    """Return the requested outputs, and the binary part of the answer."""
    tensors, parts = [], []
    for output in wanted:
        array = columns[output.name]
        tensor = OutputTensor(output.name, "FP64", list(array.shape))
        asked = output.parameters.binary_data if output.parameters else None
        if binary_by_default if asked is None else asked:
            raw = array.astype("<f8").tobytes()
            tensor.parameters = {"binary_data_size": len(raw)}
            parts.append(raw)
        else:
            tensor.data = array.ravel().tolist()
        tensors.append(tensor)
    return tensors, b"".join(parts)
