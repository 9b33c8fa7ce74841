"""The JSON of POST /invocations: a data frame by rows or records, or tensors by rows or columns."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from api.mlflow_scoring.frames import Rows, check_count, column_rows, split_rows
from mlstack.inference.encoding import Cell
from mlstack.registry.columns import Column
from mlstack.web.bodies import decode_json
from mlstack.web.problems import InvalidInput
from mlstack.web.rows import arrange

_FORMATS = "dataframe_split, dataframe_records, instances or inputs"
_FEW = 8  # lists and objects beside those of rows and columns

Elements = list[Cell | list[Cell] | dict[str, Cell]]


class SplitFrame(msgspec.Struct):
    """A data frame as pandas' to_dict(orient="split") has it; the index means nothing here."""

    columns: list[str]
    data: list[list[Cell]]


class Invocation(msgspec.Struct):
    """A body. `params` and other members are ignored, as MLflow does for a model without parameters."""

    dataframe_split: SplitFrame | None = None
    dataframe_records: list[dict[str, Cell]] | None = None
    instances: Elements | None = None
    inputs: Elements | dict[str, list[Cell | list[Cell]]] | None = None


_decoder = msgspec.json.Decoder(Invocation)


def read_json(body: bytes, columns: Sequence[Column], max_rows: int) -> Rows:
    """Return rows in the order of the columns; raise MalformedJSON or InvalidInput."""
    if b"NaN" in body:
        body = _nan_as_null(body)
    expected = f"an object with {_FORMATS}, of at most {max_rows} rows"
    asked = decode_json(_decoder, body, expected, max_rows + len(columns) + _FEW, objects=True)
    given = [part for part in msgspec.structs.astuple(asked) if part is not None]
    if len(given) != 1:
        raise InvalidInput(f"expected exactly one of {_FORMATS}; got {len(given)}")
    if asked.dataframe_split is not None:
        return split_rows(asked.dataframe_split.columns, asked.dataframe_split.data, columns)
    if isinstance(asked.inputs, dict):
        return column_rows(asked.inputs, columns, max_rows)
    check_count(len(given[0]), max(max_rows, len(columns)))
    return arrange(given[0], [column.name for column in columns])


def _nan_as_null(body: bytes) -> bytes:
    """Replace NaN, which pandas writes for a missing value and JSON does not know, but not within strings.

    Escapes of backslashes and quotes are hidden meanwhile behind a control character, which no JSON has.
    """
    if b"\x01" in body:
        return body
    hidden = body.replace(rb"\\", b"\x01\x01").replace(rb"\"", b"\x01\x02")
    parts = hidden.split(b'"')
    parts[::2] = [part.replace(b"NaN", b"null") for part in parts[::2]]
    return b'"'.join(parts).replace(b"\x01\x02", rb"\"").replace(b"\x01\x01", rb"\\")
