"""A key names all that an answer depends on, and nothing else."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from api.prediction.cache import cache_key
from mlstack.runtime.arrays import FloatArray
from mlstack.web.instances import decode_request, to_rows

DIGEST, OTHER = "a" * 64, "b" * 64
finite = st.floats(allow_nan=False, allow_infinity=False)
rows = st.integers(1, 4).flatmap(
    lambda k: arrays(np.float64, st.tuples(st.integers(1, 9), st.just(k)), elements=finite)
)


def canonical(array: FloatArray) -> FloatArray:
    """Return the rows as the api makes them of a request."""
    return to_rows(array.tolist(), array.shape[1], 10_000)


def key_of(digest: str, rows: FloatArray) -> bytes:
    """Return the key of rows under the model of that digest."""
    return cache_key(digest, len(rows), rows.tobytes())


def spellings(number: float) -> list[str]:
    """Return ways to write a number in JSON."""
    found = [repr(number), f"{number:.17e}", f"{number:.17E}"]
    if number.is_integer() and abs(number) < 1e15:
        found += [str(int(number)), f"{int(number)}.0", f"{int(number)}e0", f"{int(number)}.000E+00"]
    return found


@settings(deadline=None)
@given(finite, st.data())
def test_however_a_number_is_written_it_has_one_key(number: float, data: st.DataObject) -> None:
    """5, 5.0 and 5e0; flat and nested; under every name."""
    text = data.draw(st.sampled_from(spellings(number)))
    name = data.draw(st.sampled_from(["values", "features", "instances"]))
    nested = data.draw(st.booleans())
    body = f'{{"{name}": [{f"[{text}]" if nested else text}]}}'.encode()

    key = key_of(DIGEST, to_rows(decode_request(body, 10).rows(), 1, 10))

    assert key == key_of(DIGEST, canonical(np.array([[number]])))


@settings(deadline=None)
@given(rows)
def test_minus_zero_has_the_key_of_zero(array: FloatArray) -> None:
    """Wherever it stands."""
    negative = np.where(array == 0, -0.0, array)
    positive = np.where(array == 0, 0.0, array)

    assert key_of(DIGEST, canonical(negative)) == key_of(DIGEST, canonical(positive))


@settings(deadline=None)
@given(rows, rows)
def test_different_rows_have_different_keys(one: FloatArray, other: FloatArray) -> None:
    """So have the same numbers in another shape."""
    assume(one.shape != other.shape or (one != other).any())

    assert key_of(DIGEST, canonical(one)) != key_of(DIGEST, canonical(other))


@settings(deadline=None)
@given(rows)
def test_another_model_is_another_key(array: FloatArray) -> None:
    """A response cache keyed without the model answers one model's request with another's result."""
    assert key_of(DIGEST, canonical(array)) != key_of(OTHER, canonical(array))


@settings(deadline=None)
@given(rows)
def test_the_same_numbers_in_another_shape_have_another_key(array: FloatArray) -> None:
    """One row of six is not six rows of one."""
    assume(array.shape[0] > 1)
    flat = array.reshape(1, -1)

    assert key_of(DIGEST, canonical(array)) != key_of(DIGEST, canonical(flat))


@settings(deadline=None)
@given(st.lists(finite, min_size=1, max_size=20))
def test_the_rows_are_the_numbers_that_were_sent(numbers: list[float]) -> None:
    """Bit for bit, but for the sign of zero."""
    body = json.dumps({"values": numbers}).encode()

    array = to_rows(decode_request(body, 100).rows(), 1, 100)

    assert array.tolist() == [[number] for number in numbers]
    assert array.flags["C_CONTIGUOUS"]
    assert not np.signbit(array[array == 0]).any()
