"""Validation finds each fault by name, all of them in one go, and lets good tables pass."""

from __future__ import annotations

import pytest

from mlstack.data.database import connected
from mlstack.data.generation import Generation
from mlstack.data.preparation import prepare
from mlstack.data.validation import Expectations, find_problems

DEMO = Expectations(low=0.0, high=20.0)


def _problems(url: str, expected: Expectations, *statements: str) -> list[str]:
    with connected(url) as connection:
        prepare(connection, Generation())
        for statement in statements:
            connection.cursor().execute(statement)
        return find_problems(connection, expected)


def test_the_demonstration_data_pass(database_url: str) -> None:
    assert _problems(database_url, DEMO) == []


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DROP TABLE linear_data", "table linear_data does not exist"),
        ("ALTER TABLE linear_data RENAME y TO z", "linear_data: there is no column y (there are x, z)"),
        (
            "ALTER TABLE linear_data DROP x, ADD x bytea",
            "linear_data.x: is of type bytea, expected numbers, b",
        ),
        (
            "ALTER TABLE linear_data DROP x, ADD x date",
            "linear_data.x: is of type date: derive numbers from it",
        ),
        (
            "ALTER TABLE linear_data ALTER x TYPE timestamptz USING to_timestamp(x)",
            "linear_data.x: is of type timestamptz: derive numbers from it (year, month, weekday, elapsed",
        ),
        ("ALTER TABLE linear_data DROP y, ADD y bool", "linear_data.y: all 100 values are NULL"),
        (
            "ALTER TABLE linear_data ALTER x TYPE text; INSERT INTO linear_data VALUES ('new', 1)",
            "linear_data.x: has more than 100 different values, which DATA_MAX_CATEGORIES allows",
        ),
        (
            "ALTER TABLE linear_data ALTER x TYPE text USING x || repeat('é', 200)",
            "linear_data.x: holds texts of more than 200 characters",
        ),
        (
            "ALTER TABLE linear_data ALTER y TYPE text USING 'same'",
            "linear_data.y: every value is same, there is nothing to learn",
        ),
        ("UPDATE linear_data SET y = NULL WHERE x < 1", "linear_data.y: 5 of 100 values are NULL"),
        ("UPDATE linear_data SET x = 'NaN' WHERE x < 1", "linear_data.x: 5 of 100 values are NaN"),
        ("UPDATE linear_data SET y = '-Infinity' WHERE x = 0", "linear_data.y: 1 of 100 values are infinite"),
        ("UPDATE linear_data SET x = 21 WHERE x = 20", "linear_data.x: 1 of 100 values lie outside [0, 20]"),
        (
            "UPDATE linear_data SET x = -1e-9 WHERE x = 0",
            "linear_data.x: 1 of 100 values lie outside [0, 20]",
        ),
        ("DELETE FROM linear_data WHERE x > 3", "linear_data: 15 rows are too few"),
        ("UPDATE linear_data SET y = 7", "linear_data.y: every value is 7, there is nothing to learn"),
        ("UPDATE linear_data SET x = round(x)", "linear_data: 79% of the rows repeat the x of another"),
    ],
)
def test_each_fault_is_one_finding(database_url: str, statement: str, finding: str) -> None:
    problems = _problems(database_url, DEMO, statement)

    assert len(problems) == 1
    assert problems[0].startswith(finding)


def test_an_empty_table_is_too_few_rows_and_nothing_else(database_url: str) -> None:
    problems = _problems(database_url, DEMO, "TRUNCATE linear_data")

    assert problems == ["linear_data: 0 rows are too few, DATA_MIN_ROWS asks for 20"]


def test_all_faults_are_found_at_once(database_url: str) -> None:
    problems = _problems(
        database_url,
        DEMO,
        "UPDATE linear_data SET x = '-Infinity' WHERE x < 1",
        "UPDATE linear_data SET x = 99 WHERE x > 19",
        "UPDATE linear_data SET y = 'NaN' WHERE x BETWEEN 5 AND 6",
    )

    assert [line.split(":")[0] for line in problems] == ["linear_data.x", "linear_data.x", "linear_data.y"]


def test_without_limits_any_range_passes(database_url: str) -> None:
    assert _problems(database_url, Expectations(), "UPDATE linear_data SET x = x * 1e6") == []


def test_numbers_of_any_type_pass(database_url: str) -> None:
    change = "ALTER TABLE linear_data ALTER x TYPE numeric(12, 6), ALTER y TYPE real"

    assert _problems(database_url, DEMO, change) == []


def test_text_booleans_and_gaps_in_features_pass(database_url: str) -> None:
    changes = (
        "CREATE TYPE colour AS ENUM ('red', 'green')",
        "ALTER TABLE linear_data ADD city text, ADD kind varchar(5), ADD code char(3) DEFAULT 'a'",
        "ALTER TABLE linear_data ADD colour colour DEFAULT 'red', ADD sold bool",
        "UPDATE linear_data SET city = 'Hanoi', kind = 'flat', sold = x > 10 WHERE x > 1",
        "UPDATE linear_data SET x = NULL WHERE x > 19",
    )
    features = ("x", "city", "kind", "code", "colour", "sold")

    assert _problems(database_url, Expectations(features=features), *changes) == []


def test_a_column_of_nothing_but_null_is_a_finding(database_url: str) -> None:
    problems = _problems(database_url, Expectations(), "UPDATE linear_data SET x = NULL")

    assert problems[0] == "linear_data.x: all 100 values are NULL"


@pytest.mark.parametrize("target", ["text", "bool"])
def test_a_target_of_classes_passes_and_one_with_gaps_does_not(database_url: str, target: str) -> None:
    change = f"ALTER TABLE linear_data ALTER y TYPE {target} USING (y > 20)::{target}"
    gap = "UPDATE linear_data SET y = NULL WHERE x < 1"

    assert _problems(database_url, DEMO, change) == []
    with connected(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(gap)
        assert find_problems(connection, DEMO) == [
            "linear_data.y: 5 of 100 values are NULL, and it is the target"
        ]
