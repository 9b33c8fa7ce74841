"""Models of mixed columns, and classifiers, behind the api: answered, cached, and logged as asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mlstack.registry.store import ModelStore
from tests.harness.mixed_models import (
    HOUSE,
    HOUSE_ROW,
    PASSENGER_ROW,
    publish_flowers,
    publish_houses,
    publish_passengers,
)
from tests.harness.processes.inference import Stores, is_healthy, undisturbed
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import ServingProcess, eventually

HOUSES, PASSENGERS, FLOWERS = 1, 2, 3  # versions


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve three models by their versions; the current one has plain numbers and three classes."""
    root: Path = tmp_path_factory.mktemp("mixed")
    store = ModelStore(root / "models")
    assert (publish_houses(store), publish_passengers(store), publish_flowers(store)) == (1, 2, 3)
    with undisturbed(store.root, root / "log", real_stores) as process:
        yield process


def ask(server: ServingProcess, version: int, *rows: object) -> dict[str, Any]:
    """Return the answer to rows."""
    answer = server.predict({"instances": rows, "model_version": version})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def logged(real_stores: Stores, answer: dict[str, Any], columns: str) -> tuple[Any, ...]:
    """Return columns of the answer's row in the log."""
    (row,) = real_stores.sql(f"SELECT {columns} FROM predictions WHERE id = %s", answer["id"])  # noqa: S608
    return row


def without_identity(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what the answer says of the rows."""
    return {name: value for name, value in answer.items() if name not in {"id", "cached"}}


def test_a_row_by_name_is_the_row_by_position(server: ServingProcess) -> None:
    """One question: so the second one is answered from the cache, byte for byte the same."""
    by_name = ask(server, HOUSES, dict(reversed(HOUSE_ROW.items())))
    by_position = ask(server, HOUSES, list(HOUSE_ROW.values()))

    assert (by_name["cached"], by_position["cached"]) == (False, True)
    assert without_identity(by_name) == without_identity(by_position)


def test_a_flat_list_is_one_row(server: ServingProcess) -> None:
    """Of a model with several columns, under each of the three names."""
    row = [80, "Lima", 2, False]
    answers = [
        server.predict({name: row, "model_version": HOUSES}).json()
        for name in ("values", "features", "instances")
    ]

    assert [answer["predictions"] for answer in answers] == [pytest.approx([390.0])] * 3


def test_a_model_of_plain_numbers_takes_rows_by_name(server: ServingProcess) -> None:
    by_name = ask(server, FLOWERS, {"petal": 5, "sepal": 1.5})
    by_position = ask(server, FLOWERS, [1.5, 5])

    assert without_identity(by_name) == without_identity(by_position)


def test_an_unseen_category_is_answered_with_a_flag(server: ServingProcess, real_stores: Stores) -> None:
    """Texts that training has not seen share an answer, not a row of the log."""
    rows = [[100, "Hue", 3, True], [100, "Oslo", 3, True]]

    answer = ask(server, HOUSES, *rows)
    other = ask(server, HOUSES, [100, "Rome", 3, True], rows[1])

    assert answer["unseen"] == other["unseen"] == [["city"], []]
    assert other["cached"]
    assert logged(real_stores, answer, "input_data") == (rows,)
    assert logged(real_stores, other, "input_data->0->>1") == ("Rome",)


def test_the_log_holds_what_was_sent(server: ServingProcess, real_stores: Stores) -> None:
    """Text, true and null, as rows in the order of the columns."""
    answer = ask(server, HOUSES, HOUSE_ROW)

    columns = "input_data, prediction, intervals, probabilities, prediction_sets"
    row = [HOUSE_ROW[column.name] for column in HOUSE]
    expected = ([row], answer["predictions"], answer["intervals"], None, None)
    assert logged(real_stores, answer, columns) == expected


def test_control_characters_of_a_text_are_logged_as_sent(server: ServingProcess, real_stores: Stores) -> None:
    """The log's INSERT separates values by one of them."""
    row = [100, 'a\x1fb\n"\\', 3, True]

    answer = ask(server, HOUSES, row)

    assert logged(real_stores, answer, "input_data") == ([row],)


@pytest.mark.parametrize(
    ("version", "row", "classes"),
    [(PASSENGERS, PASSENGER_ROW, {"false", "true"}), (FLOWERS, [4, 4], {"iris", "lily", "rose"})],
    ids=["two classes, mixed columns", "three classes, plain numbers"],
)
def test_a_classifier_answers_with_probabilities_and_a_set(
    server: ServingProcess, real_stores: Stores, version: int, row: Any, classes: set[str]
) -> None:
    """The likeliest class is the prediction and in the set; the log has all of it, and no intervals."""
    answer = ask(server, version, row)

    (label,), (probabilities,), (members,) = (
        answer[name] for name in ("predictions", "probabilities", "prediction_sets")
    )
    assert set(probabilities) == classes
    assert sum(probabilities.values()) == pytest.approx(1)
    assert answer["confidence"] == [max(probabilities.values())]
    assert probabilities[str(label).lower()] == answer["confidence"][0]
    assert label in members
    assert "intervals" not in answer
    columns = "prediction, probabilities, prediction_sets, confidence, intervals"
    assert logged(real_stores, answer, columns) == (
        [label], [probabilities], [members], answer["confidence"], None,
    )  # fmt: skip


@pytest.mark.parametrize(("version", "row"), [(PASSENGERS, [12, "Kiel", None]), (FLOWERS, [2, 6])])
def test_a_cached_classification_equals_an_uncached_one(
    server: ServingProcess, version: int, row: list[object]
) -> None:
    first, second = ask(server, version, row, row), ask(server, version, row, row)

    assert (first["cached"], second["cached"]) == (False, True)
    assert without_identity(first) == without_identity(second)


def test_the_fast_path_answers_classifiers_of_plain_numbers(server: ServingProcess) -> None:
    """Without a version: so the current model is asked, by the path for short requests."""
    answer = server.predict({"features": [7, 1]})

    assert answer.json()["predictions"] == ask(server, FLOWERS, [7, 1])["predictions"]


def test_rows_of_any_kind_wait_while_postgres_is_away(server: ServingProcess, real_stores: Stores) -> None:
    """In one queue; afterwards each is in the table as it was asked and answered."""
    with stopped(real_stores.postgres):
        house = ask(server, HOUSES, [51, 'Hà Nội "old" {[', None, True])
        passenger = ask(server, PASSENGERS, [52, None, None])
        queued = real_stores.queued()
    assert eventually(lambda: real_stores.queued() == 0, 30)

    assert queued == 2
    assert logged(real_stores, house, "input_data, intervals, probabilities") == (
        [[51, "Hà Nội \"old\" {[", None, True]], house["intervals"], None,
    )  # fmt: skip
    assert logged(real_stores, passenger, "input_data, intervals, probabilities, prediction_sets") == (
        [[52, None, None]], None, passenger["probabilities"], passenger["prediction_sets"],
    )  # fmt: skip
    assert eventually(partial(is_healthy, server), 30)


def test_an_answer_that_would_be_too_long_is_refused(tmp_path: Path, real_stores: Stores) -> None:
    """It is counted before it is computed: 100 classes are 100 numbers a row."""
    store = ModelStore(tmp_path / "models")
    publish_flowers(store, tuple(f"class of flowers, number {i:03}" for i in range(100)))
    with undisturbed(store.root, tmp_path / "log", real_stores) as server:
        few = server.predict({"instances": [[1, 2]] * 200})
        many = server.predict({"instances": [[1, 2]] * 2000})

    assert few.status_code == 200
    assert many.status_code == 422
    assert "with 100 classes" in many.json()["detail"]
    assert "got 2000 rows" in many.json()["detail"]
