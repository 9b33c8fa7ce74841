"""Text, booleans and NULL: a column's schema, and PostgreSQL encodes what the servers encode."""

from __future__ import annotations

import math
import threading

import numpy as np
import psycopg2
import pytest

from mlstack.data.database import connected
from mlstack.data.reading import data_digest, read_table
from mlstack.data.table_columns import read_columns
from mlstack.inference.encoding import encode_rows
from mlstack.registry.columns import Column
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import DataRefused
from mlstack.training.config import TrainingConfig
from mlstack.training.input import read_training_input

_QUOTES = ("a'b", 'a"b', "a,b", "a\\b", "a{b}", "%s", "\n")
_HOSTILE = (*_QUOTES, "", " a", "A", "a", "NULL", "null", "Ä", "ä", "é", "😀")
_NAMES = ("number", "flag", "text", "colour", "code")


def _execute(url: str, *statements: str) -> None:
    with connected(url) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def mixed(database_url: str) -> str:
    """A table with every kind of column, with NULLs and hostile texts."""
    _execute(
        database_url,
        "CREATE TYPE colour AS ENUM ('red', 'green', 'blue')",
        "CREATE DOMAIN flag AS boolean",
        "CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        "CREATE TABLE mixed (number numeric, flag flag, text text COLLATE any_case, colour colour)",
        "ALTER TABLE mixed ADD code char(4)",
    )
    with connected(database_url) as connection, connection.cursor() as cursor:
        for number, text in enumerate((*_HOSTILE, None)):
            row = (number / 4 if number % 5 else None, number % 2 == 0, text, ("red", "blue")[number % 2])
            cursor.execute("INSERT INTO mixed VALUES (%s, %s, %s, %s, 'x')", row)
    return database_url


def test_each_columns_kind_categories_nulls_and_range_are_found(mixed: str) -> None:
    with connected(mixed) as connection:
        number, flag, text, colour, code = read_columns(connection, "mixed", _NAMES, 100)

    assert number == Column(name="number", kind="number", nullable=True, low=0.25, high=4.25)
    assert flag == Column(name="flag", kind="boolean")
    assert text == Column(name="text", kind="category", nullable=True, categories=tuple(sorted(_HOSTILE)))
    assert colour == Column(name="colour", kind="category", categories=("blue", "red"))
    assert code == Column(name="code", kind="category", categories=("x",))


def test_a_row_is_encoded_by_postgresql_as_by_the_servers(mixed: str) -> None:
    with connected(mixed) as connection:
        columns = read_columns(connection, "mixed", _NAMES, 100)
        table = read_table(connection, "mixed", columns)
        with connection.cursor() as cursor:
            cursor.execute("SELECT number::float8, flag, text, colour::text, code::text FROM mixed")
            rows = cursor.fetchall()

    np.testing.assert_array_equal(table, encode_rows(columns, rows))


def test_a_value_that_is_none_of_the_categories_is_unseen(mixed: str) -> None:
    known = Column(name="text", kind="category", categories=("a", "ä"))

    with connected(mixed) as connection:
        table = read_table(connection, "mixed", (known,))

    codes = [{"a": 0.0, "ä": 1.0}.get(text, -1.0) for text in _HOSTILE]
    np.testing.assert_array_equal(table[:, 0], [*codes, math.nan])


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("ALTER TABLE mixed RENAME text TO words", "mixed: there is no column text (there are number, flag"),
        ("ALTER TABLE mixed ALTER number TYPE date USING NULL", "mixed.number: is of type date: derive"),
        ("INSERT INTO mixed (text) SELECT i FROM generate_series(1, 100) i", "mixed.text: has more than 100"),
        ("DROP TABLE mixed", "table mixed does not exist"),
    ],
)
def test_a_column_that_no_model_can_use_is_refused(mixed: str, change: str, finding: str) -> None:
    _execute(mixed, change)

    with connected(mixed) as connection, pytest.raises(DataRefused) as refused:
        read_columns(connection, "mixed", _NAMES, 100)

    assert refused.value.findings[0].startswith(finding)


def test_rows_and_categories_are_of_one_moment(mixed: str) -> None:
    """A category that is added between two queries is in neither."""
    config = TrainingConfig(features=("flag", "text"), target="colour", estimator="a classifier")
    with connected(mixed, snapshot=True) as connection:
        read_columns(connection, "mixed", ("text",), 100)
        adding = threading.Thread(target=_execute, args=(mixed, "INSERT INTO mixed (text) VALUES ('new')"))
        adding.start()
        adding.join()
        source = read_training_input(connection, "mixed", config)

    assert isinstance(source.rows, np.ndarray)
    assert len(source.rows) == len(_HOSTILE) + 1
    assert "new" not in source.columns[1].categories


def test_the_digest_covers_the_categories_and_is_the_old_one_for_plain_numbers() -> None:
    table: FloatArray = np.zeros((3, 2))
    plain = tuple(Column(name=name, kind="number", low=0.0, high=0.0) for name in "xy")
    digests = [
        data_digest(table, "t", (plain[0], Column(name="y", kind="category", categories=names)))
        for names in (("a",), ("b",), ("a", "b"))
    ]

    assert data_digest(table, "t", plain) == data_digest(table, "t", ("x", "y"))
    assert len({data_digest(table, "t", plain), *digests}) == 4


def test_a_role_that_may_only_read_is_enough(mixed: str) -> None:
    _execute(mixed, "CREATE ROLE looker LOGIN PASSWORD 'looker'", "GRANT SELECT ON mixed TO looker")
    url = mixed.replace("postgres:postgres@", "looker:looker@")

    try:
        with connected(url) as connection:
            assert len(read_columns(connection, "mixed", _NAMES, 100)) == 5
    finally:
        connection = psycopg2.connect(mixed)
        with connection, connection.cursor() as cursor:
            cursor.execute("DROP OWNED BY looker; DROP ROLE looker")
        connection.close()
