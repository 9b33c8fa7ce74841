"""Bad bodies for KServe's V1 protocol and for MLflow's, and rows of mixed columns that fit no column.

The first three tables are for the demonstration's model, the others for that of mixed_models.publish_houses.
"""

from __future__ import annotations

import json
from typing import Any

from tests.harness.mixed_models import HOUSE_ROW

_NAMES, _ROW = list(HOUSE_ROW), list(HOUSE_ROW.values())

V1: dict[str, bytes] = {
    "empty": b"",
    "cut off": b'{"instances": [[1]',
    "a list": b"[[1]]",
    "nothing": b"{}",
    "null": b'{"instances": null}',
    "no rows": b'{"instances": []}',
    "an object": b'{"instances": {"x": [1]}}',
    "text": b'{"instances": ["1"]}',
    "true": b'{"instances": [[true]]}',
    "NaN": b'{"instances": [[NaN]]}',
    "two values": b'{"instances": [[1, 2]]}',
    "rows of different lengths": b'{"instances": [[1], [1, 2]]}',
    "an unknown column": b'{"instances": [{"y": 1}]}',
    "deep": b'{"instances": ' + b"[" * 100_000,
    "too many rows": json.dumps({"instances": [[1]] * 10_001}).encode(),
    "too many objects": json.dumps({"instances": [{}] * 20_000}).encode(),
}

INVOCATIONS: dict[str, bytes] = {
    "empty": b"",
    "cut off": b'{"inputs": [[1]',
    "a list": b"[[1]]",
    "null": b"null",
    "nothing": b"{}",
    "two forms": b'{"inputs": [[1]], "instances": [[1]]}',
    "no rows": b'{"inputs": []}',
    "no columns": b'{"inputs": {}}',
    "an empty column": b'{"inputs": {"x": []}}',
    "no data": b'{"dataframe_split": {"columns": ["x"]}}',
    "no names": b'{"dataframe_split": {"data": [[1]]}}',
    "no rows in split": b'{"dataframe_split": {"columns": ["x"], "data": []}}',
    "numbers for names": b'{"dataframe_split": {"columns": [0], "data": [[1]]}}',
    "a short row": b'{"dataframe_split": {"columns": ["x"], "data": [[]]}}',
    "text": b'{"inputs": ["1"]}',
    "true": b'{"inputs": [[true]]}',
    "NaN": b'{"inputs": [[NaN]]}',
    "Infinity": b'{"inputs": [[Infinity]]}',
    "NaN in text that does not end": b'{"inputs": ["NaN',
    "10^400": b'{"inputs": [[1e400]]}',
    "a whole number of 400 digits": b'{"inputs": [[' + b"9" * 400 + b"]]}",
    "three levels": b'{"inputs": [[[1]]]}',
    "rows and values": b'{"inputs": [1, [2]]}',
    "deep": b'{"inputs": ' + b"[" * 100_000,
    "too many rows": json.dumps({"inputs": [[1]] * 10_001}).encode(),
    "too many records": json.dumps({"dataframe_records": [{"x": 1}] * 10_001}).encode(),
    "too many values": json.dumps({"inputs": {"x": [1] * 10_001}}).encode(),
    "a megabyte of NaN and escaped quotes": b"NaN" + b'"\\' * 500_000,
    "a megabyte of NaN and texts": b'{"inputs": [NaN' + b',""' * 340_000 + b"]}",
    "half a million values": b'{"inputs": [' + b"1," * 500_000 + b"1]}",
    "many columns": json.dumps({"inputs": {f"c{n}": [1] for n in range(5000)}}).encode(),
}

CSV: dict[str, bytes] = {
    "empty": b"",
    "blank lines": b"\n\n",
    "names only": b"x\n",
    "no names": b"1\n2\n",
    "a repeated column": b"x,x\n1,1\n",
    "an unknown column": b"x,y\n1,1\n",
    "a long row": b"x\n1,2\n",
    "text": b"x\none\n",
    "an empty field": b'x\n""\n',
    "nan": b"x\nnan\n",
    "inf": b"x\ninf\n",
    "1e999": b"x\n1e999\n",
    "an underscore": b"x\n1_0\n",
    "other digits": "x\n٣\n".encode(),
    "not UTF-8": b"x\n\xff\n",
    "an open quote": b'x\n"1\n',
    "a zero byte": b"x\n\x00\n",
    "a long field": b"x\n" + b"1" * 200_000 + b"\n",
    "too many rows": b"x\n" + b"1\n" * 10_001,
    "lines alone": b"x" + b"\n" * 900_000,
}

COLUMNS: dict[str, tuple[Any, str]] = {
    "missing in split": ({"dataframe_split": {"columns": ["area"], "data": [[1]]}}, "column city is missing"),
    "unknown in split": (
        {"dataframe_split": {"columns": [*_NAMES, "colour"], "data": [[*_ROW, 1]]}},
        "no column colour",
    ),
    "repeated in split": (
        {"dataframe_split": {"columns": [*_NAMES, "city"], "data": [[*_ROW, "Lima"]]}},
        "column city is there 2 times",
    ),
    "missing in records": ({"dataframe_records": [{"area": 1}]}, "column city is missing in row 1"),
    "unknown in records": (
        {"dataframe_records": [HOUSE_ROW, HOUSE_ROW | {"colour": 1}]},
        "no column colour, as in row 2",
    ),
    "missing in columns": ({"inputs": {"area": [1]}}, "column city is missing"),
    "unknown in columns": ({"inputs": {name: [1] for name in [*_NAMES, "colour"]}}, "no column colour"),
    "columns of different lengths": (
        {"inputs": {name: [value] * (2 if name == "rooms" else 1) for name, value in HOUSE_ROW.items()}},
        "column rooms: expected 1 values",
    ),
    "a text for a number": ({"dataframe_records": [HOUSE_ROW | {"area": "120"}]}, "column area"),
    "a number for a text": ({"dataframe_records": [HOUSE_ROW | {"city": 1}]}, "column city"),
    "null where there is none": ({"dataframe_records": [HOUSE_ROW | {"area": None}]}, "column area"),
    "a number for a boolean": ({"dataframe_records": [HOUSE_ROW | {"garden": 1}]}, "column garden"),
}

CSV_COLUMNS: dict[str, tuple[str, str]] = {
    "missing": ("area\n1\n", "column city is missing"),
    "unknown": ("area,city,rooms,garden,colour\n120,Hanoi,3,true,red\n", "no column colour"),
    "repeated": ("area,city,rooms,garden,city\n120,Hanoi,3,true,Lima\n", "column city is there 2 times"),
    "in upper case": ("AREA,city,rooms,garden\n120,Hanoi,3,true\n", "no column AREA"),
    "a short row": ("area,city,rooms,garden\n120,Hanoi,3\n", "expected 4 values, one a column; got 3"),
    "a long row": ("area,city,rooms,garden\n120,Hanoi,3,true,1\n", "expected 4 values, one a column; got 5"),
    "a text for a number": ("area,city,rooms,garden\nlarge,Hanoi,3,true\n", "column area: expected a number"),
    "nothing for a number": ("area,city,rooms,garden\n,Hanoi,3,true\n", "column area: expected a number"),
    "nothing for a text": ("area,city,rooms,garden\n120,,3,true\n", "column city: expected a string"),
    "nothing for a boolean": (
        "area,city,rooms,garden\n120,Hanoi,3,\n",
        "column garden: expected true or false",
    ),
    "a number for a boolean": (
        "area,city,rooms,garden\n120,Hanoi,3,1\n",
        "column garden: expected true or false",
    ),
    "infinity": ("area,city,rooms,garden\n120,Hanoi,inf,true\n", "column rooms: expected a number"),
    "1e999": ("area,city,rooms,garden\n1e999,Hanoi,3,true\n", "column area: expected a number"),
    "a zero byte": ("area,city,rooms,garden\n120,Ha\0noi,3,true\n", "U+0000"),
    "a quote that does not end": ('area,city,rooms,garden\n120,"Hanoi,3,true\n', "expected CSV"),
    "wrong in the second row": (
        "area,city,rooms,garden\n120,Hanoi,3,true\n120,Hanoi,3,yes\n",
        "column garden: expected true or false; got yes in row 2",
    ),
}
