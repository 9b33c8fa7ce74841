"""The profile of the way up: what the engine's events say of each service."""

from __future__ import annotations

import pytest

from bench.stack_times import Times, profile, read_events

_EVENTS = """\
1000500000000 step create
1001000000000 store start
1002000000000 store exec_start: pg_isready
1003500000000 store health_status: healthy
1004000000000 step start
1004100000000 server start
1006250000000 step die
1006500000000 store health_status: unhealthy
1007000000000 store health_status: healthy
1008000000000 step start
1009000000000 step die
"""


def test_a_service_is_done_when_it_is_healthy_or_has_ended_for_the_first_time() -> None:
    times = read_events(_EVENTS, began=1000.0)

    assert times == {"store": Times(1.0, 3.5), "step": Times(4.0, 6.25)}  # the server is not healthy yet
    assert list(times) == ["store", "step"]
    assert times["step"].taken == pytest.approx(2.25)


def test_the_profile_has_a_row_for_each_service_beside_the_bare_chain() -> None:
    stack = {"store": Times(1.0, 3.5), "step": Times(4.0, 6.25)}

    rows = profile(stack, {"step": Times(2.0, 2.5)})

    assert rows == [("store", "1.0", "3.5", "2.5", "–"), ("step", "4.0", "6.2", "2.2", "0.5")]
