"""Who asks: a header of the operator's choice, else the address that nginx has seen."""

from __future__ import annotations

import pytest

from mlstack.runtime.settings import SettingsError
from mlstack.web.callers import read_callers


def test_the_header_counts_more_than_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_HEADER", "X-API-Key")
    callers = read_callers()

    given = [
        callers.of({b"x-api-key": b"secret", b"x-forwarded-for": b"10.0.0.1"}),
        callers.of({b"x-caller-id": b"shop", b"x-forwarded-for": b"10.0.0.1"}),
        callers.of({}),
    ]

    assert given == [b"secret", b"10.0.0.1", b""]


@pytest.mark.parametrize("name", ["X Caller", "Überschrift", "a:b", "x" * 65])
def test_what_is_no_header_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_HEADER", name)

    with pytest.raises(SettingsError, match="CANARY_HEADER must be the name of a header"):
        read_callers()
