"""The input tensors of a request, their elements read and counted."""

from __future__ import annotations

import math
from typing import NamedTuple

from api.open_inference.elements import NUMBERS, Elements, read_binary, read_json
from api.open_inference.messages import InferenceRequest, InputTensor
from mlstack.web.problems import InvalidInput

DATATYPES = (*NUMBERS, "BOOL", "BYTES")


class Tensor(NamedTuple):
    """An input: as many elements as its shape says, row after row."""

    datatype: str
    shape: list[int]
    elements: Elements


def read_tensors(
    request: InferenceRequest, binary: memoryview, most: int, most_elements: int
) -> dict[str, Tensor]:
    """Return the inputs by name, `most` at most and of as many elements each; raise InvalidInput."""
    if not request.inputs:
        raise InvalidInput("expected at least one input tensor")
    if len(request.inputs) > most:
        raise InvalidInput(f"expected at most {most} inputs; got {len(request.inputs)}")
    tensors: dict[str, Tensor] = {}
    for tensor in request.inputs:
        if tensor.name in tensors:
            raise InvalidInput(f"expected inputs of different names; got {tensor.name[:64]} twice")
        tensors[tensor.name], binary = _read(tensor, binary, most_elements)
    if binary:
        raise InvalidInput(f"expected binary data for the inputs named; {len(binary)} bytes are left over")
    return tensors


def _read(tensor: InputTensor, binary: memoryview, most_elements: int) -> tuple[Tensor, memoryview]:
    """Return the tensor, and the remaining binary data."""
    name, count = f"input {tensor.name[:64]}", math.prod(tensor.shape)
    if tensor.datatype not in DATATYPES:
        raise InvalidInput(
            f"{name}: expected a datatype of {', '.join(DATATYPES)}; got {tensor.datatype[:64]}"
        )
    if count > most_elements:
        raise InvalidInput(f"{name}: expected at most {most_elements} elements; got {tensor.shape}")
    size = tensor.parameters.binary_data_size if tensor.parameters else None
    if size is None:
        elements = read_json(tensor)
    elif size > len(binary):
        raise InvalidInput(f"{name}: expected {size} bytes of binary data; got {len(binary)}")
    else:
        elements, binary = read_binary(tensor, binary[:size]), binary[size:]
    return Tensor(tensor.datatype, tensor.shape, elements), binary
