"""Prediction ids: unique, in order of time, the same for every attempt at one request.

A clock that jumps is tested here and not on a running stack, where turning the clock needs the machine's own.
"""

from __future__ import annotations

import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.prediction.identifiers import new_prediction_id, prediction_id

seconds = st.integers(0, 10**11 - 1)  # clocks that were never set, too
milliseconds = st.integers(0, 999)
request_ids = st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}")


def key(second: int, millisecond: int, request_id: str) -> bytes:
    """Return what nginx sends: $msec-$request_id."""
    return f"{second}.{millisecond:03}-{request_id}".encode()


@given(seconds, milliseconds, request_ids)
def test_an_id_is_a_uuid_of_version_7_that_carries_its_time(second: int, ms: int, request_id: str) -> None:
    """The row's timestamp is the id's, so a row that comes twice is one row, in one partition."""
    found = prediction_id(key(second, ms, request_id))

    parsed = uuid.UUID(found.text)
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert str(parsed) == found.text
    assert parsed.int >> 80 == found.milliseconds == second * 1000 + ms


@given(seconds, milliseconds, request_ids)
def test_every_attempt_at_one_request_has_the_same_id(second: int, ms: int, request_id: str) -> None:
    """On every replica, whatever its clock."""
    assert prediction_id(key(second, ms, request_id)) == prediction_id(key(second, ms, request_id))


@given(seconds, milliseconds, st.sets(request_ids.map(lambda text: text[-18:]), min_size=2, max_size=20))
def test_requests_of_the_same_millisecond_have_different_ids(second: int, ms: int, ends: set[str]) -> None:
    """72 of the request id's random bits are in it."""
    ids = {prediction_id(key(second, ms, end.rjust(32, "0"))).text for end in ends}

    assert len(ids) == len(ends)


@given(st.builds(key, seconds, milliseconds, request_ids), st.builds(key, seconds, milliseconds, request_ids))
def test_ids_sort_by_time(one: bytes, other: bytes) -> None:
    """As text, as the database compares them."""
    earlier, later = sorted(map(prediction_id, (one, other)), key=lambda found: found.milliseconds)

    assert earlier.milliseconds == later.milliseconds or earlier.text < later.text


@given(st.lists(st.integers(0, 2**41), min_size=1, max_size=200))
def test_a_clock_that_jumps_backwards_or_stands_still_makes_no_id_twice(clock: list[int]) -> None:
    """Each id has 74 random bits, and its row goes into the partition of the time it carries."""
    with pytest.MonkeyPatch.context() as patch:
        times = iter(clock)
        patch.setattr(time, "time_ns", lambda: next(times) * 1_000_000)
        ids = [new_prediction_id() for _ in clock]

    assert len({each.text for each in ids}) == len(clock)
    assert [each.milliseconds for each in ids] == clock
    assert [uuid.UUID(each.text).int >> 80 for each in ids] == clock


@given(st.binary(max_size=80))
def test_a_key_of_another_form_is_not_believed(header: bytes) -> None:
    """The id is new then."""
    one, other = prediction_id(header), prediction_id(header)

    assert one.text != other.text
    assert abs(one.milliseconds / 1000 - time.time()) < 60


def test_ids_without_a_key_are_for_now_and_unique() -> None:
    """100,000 of them."""
    assert prediction_id(None).text != prediction_id(None).text
    assert len({new_prediction_id().text for _ in range(100_000)}) == 100_000
