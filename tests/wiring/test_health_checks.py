"""A health check that stays and watches has the time it takes: cut short, a healthy server is unhealthy."""

from __future__ import annotations

import re

import pytest

from mlstack.runtime.healthcheck import LONGEST
from tests.harness.repository import COMBINATIONS, read, services

_SCRIPT = "mlstack/runtime/healthcheck.py"


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_a_watching_health_check_has_the_time_it_takes(combination: str) -> None:
    for name, service in services(combination).items():
        check = service.get("healthcheck", {})
        if _SCRIPT in check.get("test", []) or ("test" not in check and "timeout" in check):
            assert _seconds(check["timeout"]) > LONGEST, name


def test_the_images_own_has_it_too() -> None:
    found = re.search(r"^HEALTHCHECK .*--timeout=(\S+)", read("api/Dockerfile"), re.MULTILINE)

    assert found is not None
    assert _seconds(found[1]) > LONGEST


def _seconds(duration: str) -> float:
    found = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", duration)
    assert found is not None, duration
    return 60 * int(found[1] or 0) + int(found[2] or 0)
