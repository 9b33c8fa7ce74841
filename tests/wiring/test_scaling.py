"""docs/scaling.md reckons with what docs/performance.md has measured: each of its figures follows from it."""

from __future__ import annotations

import re

import pytest

from tests.harness.repository import read

_PAGE = read("docs/scaling.md")
_MEASURED = read("docs/performance.md")
_PEAK = 3  # times the mean
_DAY = 86_400


def _row(table: str, *cells: str) -> list[str]:
    """Return the row of a benchmark's table that begins with these cells."""
    block = _MEASURED.partition(f"<!-- bench: {table} -->")[2].partition(f"<!-- /bench: {table} -->")[0]
    rows = [line.strip("| ").split(" | ") for line in block.splitlines() if line.startswith("| ")]
    (found,) = [row for row in rows if row[: len(cells)] == list(cells) and len(row) > len(cells) + 2]
    return found


def _microseconds(contender: str) -> dict[str, float]:
    """Return the CPU that a request takes, of the api, of the load and of the stores."""
    values = [float(value) for value in _row("serving", contender, "all miss")[8].split(" / ")]
    return dict(zip(("own", "load", "stores"), (1000 * value for value in values), strict=True))


_RATE = float(_row("serving", "**our api**, as shipped", "all miss")[2].split()[0].replace(",", ""))
_DIRECT, _THROUGH_NGINX = (
    _microseconds(f"**our api{kind}") for kind in ("**, as shipped", " through nginx**")
)
_GROWN = _row("growth", "10,000,000")
_BYTES = float(_GROWN[4])
_NGINX = _THROUGH_NGINX["own"] - _DIRECT["own"]
_CORES = (_DIRECT["own"] + _DIRECT["stores"] + _NGINX) / 1e6  # that one request a second takes

FIGURES = {
    r"answers some ([\d,]+) requests a second": _RATE,
    r"costs ([\d,]+) µs of CPU in the api": _DIRECT["own"],
    r"([\d,]+) µs in the stores": _DIRECT["stores"],
    r"([\d,]+) µs in nginx": _NGINX,
    r"takes ([\d,]+) bytes in PostgreSQL": _BYTES,
    r"with batches of 64 wrote \[([\d,]+)\]": float(_GROWN[1].replace(",", "")),
    r"`RETENTION_DAYS=30` keeps ([\d.]+) TB": 30 * 1e8 * _BYTES / 1e12,
    r"at ([\d.]+) TB each": 30 * 1e9 * _BYTES / 1e12,
}
for _exponent, _unit, _cores in ((6, r" %", 100), (8, "", 1), (9, "", 1)):
    _mean = 10**_exponent / _DAY
    FIGURES |= {
        rf"\| 1e{_exponent} \| ([\d,]+) /": _mean,
        rf"\| 1e{_exponent} \| [\d,]+ / ([\d,]+) \|": _PEAK * _mean,
        rf"\| 1e{_exponent} \| [^|]+\| ([\d.]+){_unit} ": _PEAK * _mean * _CORES * _cores,
        rf"\| 1e{_exponent} \| [^|]+\| [^|]+\| ([\d.]+) GB": 10**_exponent * _BYTES / 1e9,
    }


@pytest.mark.parametrize(("pattern", "value"), FIGURES.items(), ids=FIGURES)
def test_a_figure_is_what_was_measured_as_far_as_it_is_rounded(pattern: str, value: float) -> None:
    (shown,) = re.findall(pattern, _PAGE)

    assert float(shown.replace(",", "")) == round(value, _decimals(shown)), f"{value:g} was measured"


def _decimals(shown: str) -> int:
    """Return to how many decimals a figure is rounded; to tens, hundreds and so on if it ends in zeros."""
    plain = shown.replace(",", "")
    return len(plain.partition(".")[2]) if "." in plain else len(plain.rstrip("0")) - len(plain)
