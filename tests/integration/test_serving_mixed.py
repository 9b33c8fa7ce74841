"""Models of mixed columns, and classifiers, behind the Flask server."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mlstack.registry.store import ModelStore
from tests.harness.mixed_models import (
    CITIES,
    HOUSE_ROW,
    PASSENGER_ROW,
    publish_flowers,
    publish_houses,
    publish_passengers,
)
from tests.harness.processes.serving import ServingProcess, serving

HOUSES, PASSENGERS, FLOWERS = 2, 3, 1  # versions


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingProcess]:
    """Serve three models by their versions; the current one has mixed columns and two classes."""
    root: Path = tmp_path_factory.mktemp("mixed")
    store = ModelStore(root / "models")
    assert (publish_flowers(store), publish_houses(store), publish_passengers(store)) == (1, 2, 3)
    with serving(store.root, root / "log") as process:
        yield process


def ask(server: ServingProcess, version: int, *rows: object) -> dict[str, Any]:
    """Return the answer to rows."""
    answer = server.predict({"instances": rows, "model_version": version})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_row_by_name_is_the_row_by_position(server: ServingProcess) -> None:
    """Of a regressor, with an interval; an unseen category is flagged."""
    by_name = ask(server, HOUSES, HOUSE_ROW, HOUSE_ROW | {"city": "Hue"})
    values = list(HOUSE_ROW.values())
    by_position = ask(server, HOUSES, values, [values[0], "Rome", *values[2:]])

    assert by_name == by_position
    (low, high), ((value,), _) = by_name["intervals"][0], by_name["predictions"]
    assert low < value < high
    assert by_name["unseen"] == [[], ["city"]]


@pytest.mark.parametrize(
    ("version", "row", "classes"),
    [(PASSENGERS, PASSENGER_ROW, {"false", "true"}), (FLOWERS, [4, 4], {"iris", "lily", "rose"})],
)
def test_a_classifier_answers_with_probabilities_and_a_set(
    server: ServingProcess, version: int, row: object, classes: set[str]
) -> None:
    """One inner list a row in `predictions`; numbers are rounded as everywhere on this server."""
    answer = ask(server, version, row)

    ((label,),), (probabilities,), (members,) = (
        answer[name] for name in ("predictions", "probabilities", "prediction_sets")
    )
    assert set(probabilities) == classes
    assert answer["confidence"] == [max(probabilities.values())] == [probabilities[str(label).lower()]]
    assert all(value == round(value, 4) for value in probabilities.values())
    assert label in members
    assert "intervals" not in answer


def test_the_index_says_what_the_model_takes_and_answers(server: ServingProcess) -> None:
    """Columns with their kinds, categories and ranges; classes in the order of their probabilities."""
    fare, port, alone = server.client.get("/").json()["model"]["columns"]
    classes = server.client.get("/").json()["model"]["classes"]

    assert fare == {"name": "fare", "kind": "number", "nullable": False, "range": [5, 95]}
    assert port == {"name": "port", "kind": "category", "nullable": True, "categories": ["Cork", "Kiel"]}
    assert alone == {"name": "alone", "kind": "boolean", "nullable": True}
    assert classes == [False, True]


def test_every_known_category_counts(server: ServingProcess) -> None:
    """The price rises from one city to the next as the model was made to say."""
    prices = ask(server, HOUSES, *(HOUSE_ROW | {"city": city} for city in CITIES))["predictions"]

    assert [low < high for (low,), (high,) in pairwise(prices)] == [True, True]
