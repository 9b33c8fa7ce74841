"""Reading a table from PostgreSQL: every number, in order, for every type and name."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import psycopg2
import pytest

from mlstack.data.database import connected
from mlstack.data.generation import Generation, generate
from mlstack.data.loading import load
from mlstack.data.reading import data_digest, read_table
from mlstack.runtime.refusals import DatabaseUnavailable


def _execute(url: str, statement: str) -> None:
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("rows", [1, 100, 40_329, 300_000])
@pytest.mark.parametrize("features", [("x",), ("a", "b", "c")])
def test_what_was_loaded_is_read_back_to_the_last_bit(
    database_url: str, rows: int, features: tuple[str, ...]
) -> None:
    generation = Generation(rows=rows, features=features)
    with connected(database_url) as connection:
        load(connection, generation)

    with connected(database_url) as connection:
        table = read_table(connection, "linear_data", (*features, "y"))

    expected = np.concatenate(list(generate(generation)))
    assert table.flags.c_contiguous
    assert hashlib.sha256(table.tobytes()).digest() == hashlib.sha256(expected.tobytes()).digest()


def test_every_numeric_type_and_null_and_the_ends_of_the_range(database_url: str) -> None:
    _execute(
        database_url,
        "CREATE TABLE mixed (a smallint, b bigint, c real, d numeric(20, 5), e double precision);"
        "INSERT INTO mixed VALUES (-7, 9007199254740993, 0.5, 12345.67891, 'NaN'),"
        " (NULL, 1, 'Infinity', 0, 4.9e-324), (1, 2, 3, 4, 1.7976931348623157e308)",
    )

    with connected(database_url) as connection:
        table = read_table(connection, "mixed", ("a", "b", "c", "d", "e"))

    expected = [
        [-7.0, 9007199254740992.0, 0.5, 12345.67891, math.nan],
        [math.nan, 1.0, math.inf, 0.0, 5e-324],
        [1.0, 2.0, 3.0, 4.0, 1.7976931348623157e308],
    ]
    np.testing.assert_array_equal(table, np.array(expected))


def test_names_are_quoted_and_may_have_a_schema(database_url: str) -> None:
    hostile = 'x"; DROP TABLE linear_data; --'
    quoted = hostile.replace('"', '""')
    _execute(database_url, f'CREATE SCHEMA "My Data"; CREATE TABLE "My Data"."Table" ("{quoted}" float8)')
    _execute(database_url, 'INSERT INTO "My Data"."Table" VALUES (4.5)')

    with connected(database_url) as connection:
        table = read_table(connection, "My Data.Table", (hostile,))

    assert table.tolist() == [[4.5]]


def test_an_empty_table_and_a_view_can_be_read(database_url: str) -> None:
    _execute(
        database_url,
        "CREATE TABLE empty (x float8); CREATE VIEW squares AS"
        " SELECT i AS x, i * i AS y FROM generate_series(1, 3) AS i",
    )

    with connected(database_url) as connection:
        assert read_table(connection, "empty", ("x",)).shape == (0, 1)
        assert read_table(connection, "squares", ("x", "y")).tolist() == [[1, 1], [2, 4], [3, 9]]


def test_an_error_in_the_middle_of_reading_is_one_line(database_url: str) -> None:
    _execute(
        database_url,
        "CREATE VIEW broken AS SELECT 1.0 / (200000 - i) AS x FROM generate_series(1, 300000) AS i",
    )

    with pytest.raises(DatabaseUnavailable, match="division by zero"), connected(database_url) as connection:
        read_table(connection, "broken", ("x",))


def test_the_digest_is_stable_and_notices_one_changed_value(database_url: str) -> None:
    digests = []
    with connected(database_url) as connection:
        load(connection, Generation(rows=1000))
    for statement in ("SELECT 1", "SELECT 1", "UPDATE linear_data SET y = y + 1e-9 WHERE x = 20"):
        _execute(database_url, statement)
        with connected(database_url) as connection:
            table = read_table(connection, "linear_data", ("x", "y"))
        digests.append(data_digest(table, "linear_data", ("x", "y")))

    assert digests[0] == digests[1] != digests[2]


def test_a_failed_transaction_leaves_nothing_behind(database_url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="nonsense"):
        _load_and_fail(database_url)

    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchone() == (0,)
    connection.close()


def _load_and_fail(url: str) -> None:
    with connected(url) as connection:
        load(connection, Generation())
        connection.cursor().execute("SELECT nonsense")
