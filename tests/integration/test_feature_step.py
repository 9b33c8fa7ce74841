"""Step 15 as a process, on a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import psycopg2
import pytest

from mlstack.registry.store import ModelStore
from tests.harness.processes.steps import Steps

FEATURES = "15-feature_engineering.py"
TERMS = "x=x,x_squared=x^2,x_y=x*y,x_standardised=z(x)"
MADE, THERE = "feature table made", "nothing to do: the feature table is up to date"


EVENTS = """
    CREATE TYPE size AS ENUM ('small', 'large');
    CREATE TABLE events
        (day date, at timestamp, moment timestamptz, city text, big boolean, size size, sold text);
    INSERT INTO events VALUES
        ('1970-01-01', '1970-01-02 12:00', '2023-12-31 23:30:00-02', 'Hà Nội', true, 'small', 'yes'),
        ('2024-02-29', '2024-02-29 06:00', '2024-02-29 06:00:00+00', NULL, NULL, 'large', 'no'),
        (NULL, NULL, NULL, '', false, NULL, 'yes')"""
DATES = {"DATA_TABLE": "events", "DATA_TARGET": "sold", "FEATURE_TABLE": "derived"}


def _rows(steps: Steps, query: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(steps.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall()
    connection.close()
    return rows


def test_the_feature_table_holds_the_terms_of_every_row(trained: Steps) -> None:
    outcome = trained.run(FEATURES, FEATURE_TERMS=TERMS)

    assert outcome.code == 0, outcome.lines
    assert outcome.line(MADE)["rows"] == 100
    rows = _rows(trained, "SELECT x, x_squared, x_y, x_standardised, y FROM linear_features ORDER BY x")
    raw = [x for (x,) in _rows(trained, "SELECT x FROM linear_data ORDER BY x")]
    assert [row[0] for row in rows] == raw
    mean = sum(raw) / 100
    deviation = (sum((x - mean) ** 2 for x in raw) / 100) ** 0.5
    for x, square, product, standardised, y in rows:
        assert square == x * x
        assert product == x * y
        assert standardised == pytest.approx((x - mean) / deviation)


def test_the_feature_table_is_made_anew_only_for_other_rows_or_terms(trained: Steps) -> None:
    first, again = trained.run(FEATURES), trained.run(FEATURES)
    trained.execute("UPDATE linear_data SET y = y + 1 WHERE x < 1")
    changed, other = trained.run(FEATURES), trained.run(FEATURES, FEATURE_TERMS="cube=x^3")

    made = [next(line["event"] for line in outcome.lines) for outcome in (first, again, changed, other)]
    assert made == [MADE, THERE, MADE, MADE]


def test_a_table_of_somebody_else_is_left_alone(trained: Steps) -> None:
    trained.execute("CREATE TABLE linear_features AS SELECT 1 AS mine")

    outcome = trained.run(FEATURES)

    assert outcome.code == 1
    assert outcome.errors() == ["table linear_features was not made by this step: set another FEATURE_TABLE"]
    assert _rows(trained, "SELECT mine FROM linear_features") == [(1,)]


@pytest.mark.parametrize(
    ("terms", "says"),
    [("a=nowhere^2", "nowhere"), ("a=z(nowhere)", "nowhere"), ("a=x^9", "FEATURE_TERMS")],
)
def test_a_wrong_term_is_one_readable_line(trained: Steps, terms: str, says: str) -> None:
    outcome = trained.run(FEATURES, FEATURE_TERMS=terms)

    assert outcome.code == 1
    (error,) = outcome.errors()
    assert says in error
    assert "\n" not in error


def test_a_column_that_never_changes_cannot_be_standardised(trained: Steps) -> None:
    trained.execute("UPDATE linear_data SET x = 3")

    outcome = trained.run(FEATURES, FEATURE_TERMS="a=z(x)")

    assert outcome.code == 1
    assert "every value is the same" in outcome.errors()[0]


def test_numbers_are_derived_from_dates_in_utc_and_null_stays_null(trained: Steps) -> None:
    trained.execute(EVENTS)
    terms = "y=year(moment),m=month(moment),w=weekday(day),d=days(day),h=days(at),z=days(moment)"

    outcome = trained.run(FEATURES, **DATES, FEATURE_TERMS=terms)

    assert outcome.code == 0, outcome.lines
    assert _rows(trained, "SELECT y, m, w, d, h, z FROM derived") == [
        (2024, 1, 4, 0, 1.5, 19723 + 1.5 / 24),  # 1970-01-01 was a Thursday
        (2024, 2, 4, 19782, 19782.25, 19782.25),
        (None,) * 6,
    ]


def test_text_booleans_and_the_target_are_carried_over_unchanged(trained: Steps) -> None:
    trained.execute(EVENTS)

    outcome = trained.run(FEATURES, **DATES, FEATURE_TERMS="town=city,big=big,size=size")

    assert outcome.code == 0, outcome.lines
    assert _rows(trained, "SELECT town, big, size::text, sold FROM derived") == [
        ("Hà Nội", True, "small", "yes"), (None, None, "large", "no"), ("", False, None, "yes"),
    ]  # fmt: skip
    types = (
        "SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'derived'::regclass AND attnum > 0"
    )
    assert [name for (name,) in _rows(trained, types)] == ["text", "boolean", "size", "text"]


def test_a_table_with_dates_is_made_anew_only_for_other_rows_or_types(trained: Steps) -> None:
    trained.execute(EVENTS)
    terms = {**DATES, "FEATURE_TERMS": "d=days(moment),town=city"}
    elsewhere = "?options=-c%20TimeZone%3DAsia%2FTokyo%20-c%20DateStyle%3DGerman"
    abroad = Steps(trained.database_url + elsewhere, trained.model_dir)

    first, again, other_zone = (steps.run(FEATURES, **terms) for steps in (trained, trained, abroad))
    trained.execute("ALTER TABLE events ALTER city TYPE varchar")
    retyped = trained.run(FEATURES, **terms)

    made = [next(line["event"] for line in found.lines) for found in (first, again, other_zone, retyped)]
    assert made == [MADE, THERE, THERE, MADE]


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ("a=year(big)", "a=year(big) needs a date or a timestamp, and events.big is of type bool"),
        ("a=city^2", "a=city^2 needs a number, and events.city is of type text"),
        ("a=z(day)", "a=z(day) needs a number, and events.day is of type date"),
        ("a=big*big", "a=big*big needs a number, and events.big is of type bool"),
        (
            "a=nowhere",
            "events: there is no column nowhere (there are day, at, moment, city, big, size, sold)",
        ),
    ],
)
def test_a_term_that_does_not_fit_its_column_says_what_it_needs(
    trained: Steps, terms: str, says: str
) -> None:
    trained.execute(EVENTS)

    outcome = trained.run(FEATURES, **DATES, FEATURE_TERMS=terms)

    assert outcome.code == 1
    assert [line.removeprefix("FEATURE_TERMS: ") for line in outcome.errors()] == [says]


def test_training_can_be_pointed_at_the_feature_table(trained: Steps) -> None:
    trained.execute("UPDATE linear_data SET y = 3 * x * x + x")
    assert trained.run(FEATURES).code == 0
    settings = {"DATA_TABLE": "linear_features", "DATA_FEATURES": "x,x_squared"}

    training = trained.run("10-train_model.py", **settings)
    gate = trained.run("20-evaluate_model.py")

    assert (training.code, gate.code) == (0, 0), training.lines + gate.lines
    slopes = training.line("trained and published")["slope"]
    assert slopes == {"x": pytest.approx(1), "x_squared": pytest.approx(3)}
    assert ModelStore(trained.model_dir).current() == 2
