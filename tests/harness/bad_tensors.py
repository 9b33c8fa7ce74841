"""Bad bodies for the Open Inference Protocol, for the demonstration's model: one input of one column."""

from __future__ import annotations

import json
from typing import Any


def _body(**members: Any) -> bytes:
    """Return a request of one tensor with other members; None leaves one out."""
    tensor = {"name": "input", "shape": [1, 1], "datatype": "FP64", "data": [1]} | members
    return json.dumps(
        {"inputs": [{name: each for name, each in tensor.items() if each is not None}]}
    ).encode()


def _data(data: bytes, shape: bytes = b"[1,1]") -> bytes:
    """Return a request of one tensor with these data, JSON or not."""
    return b'{"inputs":[{"name":"input","datatype":"FP64","shape":%b,"data":%b}]}' % (shape, data)


V2: dict[str, bytes] = {
    "empty": b"",
    "cut off": _body()[:-1],
    "a list": b"[[1]]",
    "null": b"null",
    "nothing": b"{}",
    "the body of another protocol": b'{"instances": [[1]]}',
    "null for the inputs": b'{"inputs": null}',
    "no inputs": b'{"inputs": []}',
    "an object for the inputs": b'{"inputs": {"input": [1]}}',
    "numbers for inputs": b'{"inputs": [1]}',
    "two inputs of one name": b'{"inputs": [%b]}' % b",".join([_body()[12:-2]] * 2),
    "no name": _body(name=None),
    "a number for a name": _body(name=1),
    "no datatype": _body(datatype=None),
    "an unknown datatype": _body(datatype="FP128"),
    "texts": _body(datatype="BYTES", data=["1"]),
    "no shape": _body(shape=None),
    "a fraction in the shape": _body(shape=[1.5, 1]),
    "a negative shape": _body(shape=[-1, 1]),
    "an empty shape": _body(shape=[]),
    "three dimensions": _body(shape=[1, 1, 1]),
    "two columns": _body(shape=[1, 2], data=[1, 2]),
    "no rows": _body(shape=[0, 1], data=[]),
    "rows beyond 64 bits": _body(shape=[2**64, 1]),
    "more data than the shape": _body(data=[1, 2]),
    "less data than the shape": _body(shape=[2, 1]),
    "no data": _body(data=None),
    "null for the data": _data(b"null"),
    "an object for the data": _data(b'{"0": 1}'),
    "a text for a number": _data(b'["1"]'),
    "true for a number": _data(b"[true]"),
    "null for a number": _data(b"[null]"),
    "NaN": _data(b"[NaN]"),
    "Infinity": _data(b"[Infinity]"),
    "1e400": _data(b"[1e400]"),
    "a whole number of 400 digits": _data(b"[%b]" % (b"9" * 400)),
    "rows of different lengths": _data(b"[[1], [1, 2]]", b"[2,1]"),
    "deep data": _data(b"[" * 100_000),
    "too many rows": _body(shape=[10_001, 1], data=[1] * 10_001),
    "half a million values": _data(b"[" + b"1," * 500_000 + b"1]", b"[500001,1]"),
    "half a million lists": _data(b"[" + b"[]," * 300_000 + b"[]]"),
    "10,000 inputs": b'{"inputs": [%b]}' % b",".join([b"{}"] * 10_000),
    "binary data that are not there": _body(data=None, parameters={"binary_data_size": 8}),
    "a size of binary data that is none": _body(data=None, parameters={"binary_data_size": "8"}),
    "an output that is none": _body()[:-1] + b', "outputs": [{"name": "x"}]}',
    "an output twice": _body()[:-1] + b', "outputs": [{"name": "predictions"}, {"name": "predictions"}]}',
    # 62 kB of outputs, which would become more than a gigabyte of answer
    "an output 2,000 times": _body(shape=[10_000, 1], data=[1] * 10_000)[:-1]
    + b', "outputs": [%b]}' % b",".join([b'{"name": "intervals"}'] * 2000),
}
