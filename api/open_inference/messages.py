"""The protocol's JSON. Explicit nulls are accepted wherever a member is optional."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from mlstack.inference.encoding import Cell

Parameters = dict[str, Any]
Size = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class InputParameters(msgspec.Struct):
    """What the binary tensor data extension says of an input."""

    binary_data_size: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None


class OutputParameters(msgspec.Struct):
    """What the binary tensor data extension asks of an output."""

    binary_data: bool | None = None


class RequestParameters(msgspec.Struct):
    """What the binary tensor data extension asks of all outputs."""

    binary_data_output: bool | None = None


class InputTensor(msgspec.Struct):
    """One input: its elements in `data`, flat or a list for each row, or in the binary part of the body."""

    name: str
    shape: Annotated[list[Size], msgspec.Meta(min_length=1, max_length=2)]
    datatype: str
    data: list[Cell | list[Cell]] | None = None
    parameters: InputParameters | None = None


class RequestedOutput(msgspec.Struct):
    """One output to return."""

    name: str
    parameters: OutputParameters | None = None


class InferenceRequest(msgspec.Struct):
    """The JSON part of an inference request."""

    inputs: list[InputTensor]
    id: str | None = None
    parameters: RequestParameters | None = None
    outputs: list[RequestedOutput] | None = None


class OutputTensor(msgspec.Struct, omit_defaults=True):
    """One output: its elements in `data`, or in the binary part of the answer."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | None = None
    parameters: Parameters | None = None


class InferenceResponse(msgspec.Struct, omit_defaults=True):
    """The JSON part of an answer."""

    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: str | None = None
    parameters: Parameters | None = None
