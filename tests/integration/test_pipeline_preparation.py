"""Preparing the table: once, again when the settings change, and never over a user's rows."""

from __future__ import annotations

import threading

import pytest

from mlstack.data.database import connected, count_rows, table_exists
from mlstack.data.generation import Generation
from mlstack.data.loading import load
from mlstack.data.preparation import Outcome, prepare
from mlstack.runtime.refusals import DataRefused


def _prepare(url: str, generation: Generation) -> tuple[Outcome, int | None]:
    with connected(url) as connection:
        return prepare(connection, generation)


def _execute(url: str, statement: str) -> None:
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _file(url: str) -> object:
    """Return a value that changes when the table is written again."""
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_filenode('linear_data')")
        return cursor.fetchone()


def test_a_second_time_there_is_nothing_to_do(database_url: str) -> None:
    first = _prepare(database_url, Generation())
    file = _file(database_url)

    assert first == ("generated", 100)
    assert _prepare(database_url, Generation()) == ("already there", 100)
    assert _file(database_url) == file


@pytest.mark.parametrize("changed", [Generation(rows=250), Generation(seed=1)])
def test_changed_settings_replace_the_rows(database_url: str, changed: Generation) -> None:
    _prepare(database_url, Generation())

    assert _prepare(database_url, changed) == ("generated", changed.rows)
    assert _prepare(database_url, changed) == ("already there", changed.rows)


OTHERS = [
    Generation(table="houses"),
    Generation(table="houses", features=("area", "rooms"), target="price"),
    Generation(features=("a", "b")),
    Generation(target="c"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_no_rows_are_invented_for_another_table_or_other_columns(
    database_url: str, other: Generation
) -> None:
    """A name that is mistyped must not become a table, a model and answers."""
    with pytest.raises(DataRefused, match=f"there is no table {other.table} of yours"):
        _prepare(database_url, other)

    with connected(database_url) as connection:
        assert not table_exists(connection, other.table)


@pytest.mark.parametrize("other", OTHERS[2:])
def test_the_demonstration_is_not_replaced_by_other_columns(database_url: str, other: Generation) -> None:
    _prepare(database_url, Generation())
    file = _file(database_url)

    with pytest.raises(DataRefused):
        _prepare(database_url, other)

    assert _file(database_url) == file


@pytest.mark.parametrize("other", OTHERS)
def test_what_an_earlier_release_generated_under_another_name_is_kept(
    database_url: str, other: Generation
) -> None:
    with connected(database_url) as connection:
        load(connection, other)

    assert _prepare(database_url, other) == ("already there", 100)


def test_an_emptied_table_is_filled_again(database_url: str) -> None:
    _prepare(database_url, Generation())
    _execute(database_url, "TRUNCATE linear_data")

    assert _prepare(database_url, Generation()) == ("generated", 100)


@pytest.mark.parametrize("statement", ["SELECT 1", "INSERT INTO linear_data VALUES (1)"])
def test_a_table_of_somebody_elses_is_left_alone(database_url: str, statement: str) -> None:
    _execute(database_url, f"CREATE TABLE linear_data (x float8); {statement}")

    file = _file(database_url)

    assert _prepare(database_url, Generation()) == ("not generated here", None)
    assert _file(database_url) == file


@pytest.mark.parametrize("settings", [Generation(), Generation(rows=500)])
@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("INSERT INTO linear_data VALUES (1, 3)", 101),
        ("DELETE FROM linear_data WHERE x > 10", 50),
    ],
)
def test_rows_added_or_deleted_by_hand_are_left_alone(
    database_url: str, statement: str, rows: int, settings: Generation
) -> None:
    _prepare(database_url, Generation())
    _execute(database_url, statement)

    assert _prepare(database_url, settings) == ("changed by hand", rows)


def test_two_at_the_same_time_generate_once(database_url: str) -> None:
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(_prepare(database_url, Generation(rows=50_000))[0]))
        for _ in range(2)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["already there", "generated"]
    with connected(database_url) as connection:
        assert count_rows(connection, "linear_data") == 50_000


def test_the_old_rows_are_there_until_the_new_ones_are(database_url: str) -> None:
    _prepare(database_url, Generation())
    with connected(database_url) as connection:
        prepare(connection, Generation(rows=1000, low=-5.0))
        connection.rollback()

    assert _prepare(database_url, Generation()) == ("already there", 100)
