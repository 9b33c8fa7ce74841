"""Writes the tables of docs/classify.md and docs/categories.md: docs/tickets.csv and docs/flats.csv.

    .venv/bin/python scripts/develop/example_tables.py

An empty cell is NULL.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_TEAMS = ("billing", "sales", "technical")
_CITIES = {"Da Nang": 0.8, "Hanoi": 1.15, "Hue": 0.7, "Saigon": 1.3}  # a factor of the rent
_DOCS = Path(__file__).parents[2] / "docs"


def tickets(rows: int = 600) -> str:
    """Return tickets of a help desk, and the team that solved each."""
    random = np.random.default_rng(667)
    lines = []
    for _ in range(rows):
        product = random.choice(["app", "router", "tariff"], p=[0.4, 0.35, 0.25])
        channel = random.choice(["chat", "mail", "phone"])
        words, months = int(random.gamma(3, 25)) + 5, int(random.exponential(20))
        business = bool(random.random() < 0.3)
        scores = np.array([
            1.8 * (product == "tariff") + 0.05 * min(months, 40),
            1.2 * (product == "tariff") + 2.4 * (months < 4) + 1.2 * business + 0.3,
            2.2 * (product == "router") + 1.1 * (product == "app") + 0.005 * words,
        ])  # fmt: skip
        team = _TEAMS[int(np.argmax(1.6 * scores + random.gumbel(size=3)))]
        line = [product, channel, words, months, str(business).lower(), team]
        line[1] = "" if random.random() < 0.1 else channel
        line[3] = "" if random.random() < 0.15 else months
        lines.append(line)
    return _csv(["product", "channel", "words", "months", "business", "team"], lines)


def flats(rows: int = 400) -> str:
    """Return flats to let, with the day on which each was offered and its monthly rent."""
    random = np.random.default_rng(667)
    return _csv(["city", "area", "floor", "lift", "offered", "rent"], _flats(random, rows))


def _flats(random: np.random.Generator, rows: int) -> Iterator[list[object]]:
    first = np.datetime64("2023-01-01")
    for _ in range(rows):
        city = str(random.choice(list(_CITIES)))
        area, floor, day = (
            int(random.gamma(6, 12)) + 18,
            int(random.integers(0, 12)),
            int(random.integers(0, 1000)),
        )
        lift = bool(random.random() < 0.3 + 0.05 * floor)
        rent = _CITIES[city] * (120 + 7 * area + (40 if lift else -6 * floor)) * (1 + day / 5000)
        cells: list[object] = [
            city,
            area,
            floor,
            str(lift).lower(),
            first + day,
            round(rent * random.normal(1, 0.06)),
        ]
        if random.random() < 0.1:
            cells[2] = ""
        if random.random() < 0.08:
            cells[3] = ""
        yield cells


def _csv(names: list[str], lines: list[list[object]] | Iterator[list[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(lines)
    return text.getvalue()


if __name__ == "__main__":
    (_DOCS / "tickets.csv").write_text(tickets(), encoding="utf-8")
    (_DOCS / "flats.csv").write_text(flats(), encoding="utf-8")
