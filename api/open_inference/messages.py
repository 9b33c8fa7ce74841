"""The protocol's JSON. Explicit nulls are accepted wherever a member is optional."""

from __future__ import annotations

from typing import Any

import msgspec

Parameters = dict[str, Any]


class InputTensor(msgspec.Struct):
    """One input: its elements in `data`, or in the binary part of the body."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: Parameters | None = None


class RequestedOutput(msgspec.Struct):
    """One output to return."""

    name: str
    parameters: Parameters | None = None


class InferenceRequest(msgspec.Struct):
    """The JSON part of an inference request."""

    inputs: list[InputTensor]
    id: str | None = None
    parameters: Parameters | None = None
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
