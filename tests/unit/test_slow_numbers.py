"""Numbers that msgspec is slow at are read by Python's float: the same values, the same refusals."""

from __future__ import annotations

import math

import msgspec
import pytest

from mlstack.web.bodies import decode_json, has_slow_numbers
from mlstack.web.instances import PredictRequest, decode_request, to_rows
from mlstack.web.problems import InvalidInput, MalformedJSON

MAX_ROWS = 10_000
SLOW = ["1e308", "-1E308", "1e-310", "5e-324", "1e23", "2.4703282292062327e-324", "0." + "0" * 310 + "1"]
_decoder = msgspec.json.Decoder(PredictRequest)


def body_of(*numbers: str) -> bytes:
    """Return a body of /predict with each number a thousand times."""
    return b'{"values": [' + ",".join(numbers * 1_000).encode() + b"]}"


@pytest.mark.parametrize("number", SLOW)
def test_a_number_is_read_exactly(number: str) -> None:
    body = body_of(number, "3", "0.1")

    rows = to_rows(decode_request(body, MAX_ROWS).rows(), 1, MAX_ROWS)

    assert has_slow_numbers(body)
    assert [row[0] for row in rows] == [float(number), 3.0, 0.1] * 1_000


@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_a_number_beyond_float64_is_refused(number: str) -> None:
    with pytest.raises(InvalidInput, match="finite"):
        to_rows(decode_request(body_of(number), MAX_ROWS).rows(), 1, MAX_ROWS)


@pytest.mark.parametrize("wrong", ["true", "null", '"5"', '{"x": 1}', "[[1]]"])
def test_a_wrong_type_is_named_as_among_other_numbers(wrong: str) -> None:
    bodies = [
        b'{"values": [1e308,' + filler + wrong.encode() + b"]}" for filler in (b"1e308,", b"1e308," * 999)
    ]

    messages = []
    for body in bodies:
        with pytest.raises(InvalidInput) as refused:
            decode_request(body, MAX_ROWS)
        messages.append(str(refused.value).partition(" - at")[0])

    assert [has_slow_numbers(body) for body in bodies] == [False, True]
    assert messages[0] == messages[1]


def test_a_body_that_is_no_json_is_malformed() -> None:
    with pytest.raises(MalformedJSON):
        decode_request(body_of("1e308")[:-1], MAX_ROWS)


def test_members_that_are_not_asked_for_cost_no_objects() -> None:
    """The quick parser skips them; this one would make a dictionary of each."""
    body = body_of("1e308")[:-1] + b', "other": [' + b"{}," * MAX_ROWS + b"{}]}"

    with pytest.raises(InvalidInput, match="lists altogether"):
        decode_request(body, MAX_ROWS)


@pytest.mark.parametrize("number", ["1", "0.30000000000000004", "-12.5"])
def test_plain_numbers_are_left_to_msgspec(number: str) -> None:
    body = body_of(*[number] * 10)

    assert not has_slow_numbers(body)
    assert math.isfinite(sum(decode_json(_decoder, body, "numbers", 1).rows()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (b"[[1, 2], [3]]", "rows of different lengths"),
        (b"[[1], 2]", "rows of different lengths"),
        (b"[[1, 2], [3, 4]]", "2x2"),
        (b"[[], []]", "2x0"),
    ],
)
def test_rows_of_a_wrong_length_are_named(values: bytes, got: str) -> None:
    with pytest.raises(InvalidInput, match=got):
        to_rows(decode_request(b'{"values": ' + values + b"}", MAX_ROWS).rows(), 1, MAX_ROWS)
