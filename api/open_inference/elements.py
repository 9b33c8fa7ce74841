"""The elements of input tensors, from JSON and from the binary tensor data extension (little-endian)."""

from __future__ import annotations

import math

import numpy as np

from api.open_inference.messages import InputTensor
from mlstack.inference.encoding import Cell
from mlstack.runtime.arrays import FloatArray
from mlstack.web.problems import InvalidInput

NUMBERS = {
    "FP64": "<f8",
    "FP32": "<f4",
    "FP16": "<f2",
    **{
        f"{kind}{bits}": f"<{letter}{bits // 8}"
        for kind, letter in (("INT", "i"), ("UINT", "u"))
        for bits in (8, 16, 32, 64)
    },
}
Elements = FloatArray | list[Cell]  # of a tensor, row after row: an array if all are numbers

_LENGTH_BYTES = 4
_TYPES: dict[str, set[type]] = {"BOOL": {bool}, "BYTES": {str}}
_NUMBER_TYPES: set[type] = {int, float}
_NULL = type(None)


def read_json(tensor: InputTensor) -> Elements:
    """Return the elements in `data`, flat or a list for each row; null is None."""
    data = tensor.data or []
    nested = [row for row in data if isinstance(row, list)]
    if nested and (len(nested) != len(data) or len({len(row) for row in nested}) != 1):
        raise _unexpected(tensor, "data of one length a row, or without rows")
    cells: list[Cell] = [cell for row in nested for cell in row] if nested else data  # type: ignore[assignment]
    if len(cells) != math.prod(tensor.shape):
        raise _unexpected(tensor, f"{tensor.shape}, got {len(cells)} elements")
    types = set(map(type, cells))
    if not types - {_NULL} <= _TYPES.get(tensor.datatype, _NUMBER_TYPES):
        raise _unexpected(tensor, f"data of {tensor.datatype}")
    if tensor.datatype in _TYPES or _NULL in types:
        return cells
    try:
        return np.array(cells, dtype=np.float64)
    except OverflowError:
        raise _unexpected(tensor, "finite numbers; got one beyond 1.8e308") from None


def read_binary(tensor: InputTensor, raw: memoryview) -> Elements:
    """Return the elements in the binary part of the body; `raw` has the size that the tensor declares."""
    count = math.prod(tensor.shape)
    read = {"BOOL": _booleans, "BYTES": _texts}.get(tensor.datatype, _numbers)
    return read(tensor, raw, count)


def _numbers(tensor: InputTensor, raw: memoryview, count: int) -> Elements:
    dtype = np.dtype(NUMBERS[tensor.datatype])
    _check_size(tensor, raw, count * dtype.itemsize)
    return np.frombuffer(raw, dtype=dtype).astype(np.float64)


def _booleans(tensor: InputTensor, raw: memoryview, count: int) -> Elements:
    _check_size(tensor, raw, count)
    values = np.frombuffer(raw, dtype=np.uint8)
    if (values > 1).any():
        raise _unexpected(tensor, "bytes of 0 and 1")
    return list(values.astype(bool).tolist())


def _texts(tensor: InputTensor, raw: memoryview, count: int) -> Elements:
    """Read elements of 4 bytes with a length and as many bytes of UTF-8."""
    if count * _LENGTH_BYTES > len(raw):
        raise _unexpected(tensor, f"{count} elements with a length of 4 bytes each; got {len(raw)} bytes")
    texts: list[Cell] = []
    for _ in range(count):
        length = int.from_bytes(raw[:_LENGTH_BYTES], "little")
        if len(raw) < _LENGTH_BYTES + length:
            raise _unexpected(tensor, f"{count} elements; the data end within element {len(texts) + 1}")
        texts.append(_text(tensor, raw[_LENGTH_BYTES : _LENGTH_BYTES + length]))
        raw = raw[_LENGTH_BYTES + length :]
    if raw:
        raise _unexpected(tensor, f"{count} elements; {len(raw)} bytes are left over")
    return texts


def _text(tensor: InputTensor, raw: memoryview) -> str:
    try:
        return bytes(raw).decode()
    except UnicodeDecodeError:
        raise _unexpected(tensor, "text in UTF-8") from None


def _check_size(tensor: InputTensor, raw: memoryview, size: int) -> None:
    if len(raw) != size:
        raise InvalidInput(
            f"input {tensor.name[:64]}: {len(raw)} bytes are not {tensor.shape} of {tensor.datatype}"
        )


def _unexpected(tensor: InputTensor, expected: str) -> InvalidInput:
    return InvalidInput(f"input {tensor.name[:64]}: expected {expected}")
