"""A column of another kind than in the served version stops steps 05 and 10, unless the change is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlstack.registry.store import ModelStore
from tests.harness.processes.object_store import object_store, settings
from tests.harness.processes.steps import Steps

_VALIDATE, _TRAIN, _EVALUATE = "05-validate_data.py", "10-train_model.py", "20-evaluate_model.py"
_TO_TEXT = "ALTER TABLE linear_data ALTER x TYPE text USING ('{low,high}'::text[])[1 + (x > 10)::int]"
_BACK = "ALTER TABLE linear_data ALTER x TYPE float8 USING (x = 'high')::int"
_FREE = {"DATA_MIN": "", "DATA_MAX": "", "DATA_MAX_DUPLICATES": "1"}
_MEANT = _FREE | {"DATA_CHANGED_COLUMNS": "x"}


def line(column: str, now: str, before: str, version: int = 1) -> str:
    """Return the finding on a column."""
    return (
        f"{column}: holds {now}, but held {before} when version {version} was trained, which is served, and "
        "clients go by that: give the column its former type, or name it in DATA_CHANGED_COLUMNS if the "
        "change is meant"
    )


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (_TO_TEXT, line("linear_data.x", "text", "numbers")),
        ("ALTER TABLE linear_data ALTER x TYPE bool USING x > 10",
         line("linear_data.x", "booleans", "numbers")),
        ("ALTER TABLE linear_data ALTER y TYPE text USING (y > 20)::text",
         line("linear_data.y", "text", "numbers")),
    ],
)  # fmt: skip
def test_a_changed_kind_is_a_line_in_both_steps(trained: Steps, change: str, finding: str) -> None:
    trained.execute(change)

    validated, learnt = trained.run(_VALIDATE, **_FREE), trained.run(_TRAIN, **_FREE)

    assert (validated.code, learnt.code) == (1, 1)
    assert validated.errors() == learnt.errors() == [finding]
    assert ModelStore(trained.model_dir).versions() == [1]


def test_every_changed_column_is_found_beside_the_other_faults(trained: Steps) -> None:
    trained.execute(f"{_TO_TEXT}; ALTER TABLE linear_data ALTER y TYPE bool USING nullif(y > 20, y < 2)")
    trained.execute("UPDATE linear_data SET y = NULL WHERE x = 'high'")

    findings = trained.run(_VALIDATE, **_FREE).errors()

    assert findings[:2] == [
        line("linear_data.x", "text", "numbers"),
        line("linear_data.y", "booleans", "numbers"),
    ]
    assert "values are NULL, and it is the target" in findings[2]


def test_a_change_that_is_meant_is_served_and_then_what_is_compared_with(trained: Steps) -> None:
    trained.execute(_TO_TEXT)

    meant = [trained.run(step, **_MEANT) for step in (_VALIDATE, _TRAIN, _EVALUATE)]
    again = trained.run(_VALIDATE, **_FREE)
    trained.execute(_BACK)
    back = trained.run(_VALIDATE, **_FREE)

    assert [outcome.code for outcome in (*meant, again)] == [0] * 4, [o.lines for o in meant]
    assert ModelStore(trained.model_dir).current() == 2
    assert back.errors() == [line("linear_data.x", "numbers", "text", version=2)]


def test_after_a_rollback_the_accepted_kind_stays_accepted(trained: Steps) -> None:
    """Otherwise the stack could not be started again after a rollback."""
    trained.execute(_TO_TEXT)
    for step in (_VALIDATE, _TRAIN, _EVALUATE):
        assert trained.run(step, **_MEANT).code == 0
    ModelStore(trained.model_dir).rollback(force=True)

    again = [trained.run(step, **_FREE) for step in (_VALIDATE, _TRAIN, _EVALUATE)]

    assert [outcome.code for outcome in again] == [0, 0, 0], [outcome.errors() for outcome in again]


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        ("ALTER TABLE linear_data ALTER x TYPE numeric(12, 6)", {}),
        (f"{_TO_TEXT}; ALTER TABLE linear_data RENAME TO theirs", {"DATA_TABLE": "theirs"}),
        ("ALTER TABLE linear_data ADD z text; UPDATE linear_data SET z = (x > 10)::text",
         {"DATA_FEATURES": "x,z"}),
        ("ALTER TABLE linear_data ADD z text; UPDATE linear_data SET z = (x > 10)::text",
         {"DATA_FEATURES": "z"}),
    ],
)  # fmt: skip
def test_other_numbers_another_table_and_other_columns_are_no_finding(
    trained: Steps, change: str, settings: dict[str, str]
) -> None:
    trained.execute(change)

    outcomes = [trained.run(step, **_FREE | settings) for step in (_VALIDATE, _TRAIN)]

    assert [outcome.code for outcome in outcomes] == [0, 0], [outcome.errors() for outcome in outcomes]


def test_a_damaged_version_does_not_keep_a_good_one_from_being_trained(trained: Steps) -> None:
    manifest: Path = trained.model_dir / "current" / "manifest.json"
    manifest.write_text("{}")

    outcome = trained.run(_VALIDATE, **_FREE)

    assert outcome.code == 0, outcome.errors()
    assert outcome.line("the columns are not compared with a version's")["level"] == "warning"


def test_a_kind_that_changes_in_a_derived_table_is_found_before_the_training(trained: Steps) -> None:
    """Step 05 runs before step 15, and looks at the user's table."""
    derived = {"DATA_TABLE": "linear_features", "DATA_FEATURES": "x"}
    terms = {"FEATURE_TERMS": "x=x"}
    trained.run("15-feature_engineering.py", **terms)
    for step in (_TRAIN, _EVALUATE):
        assert trained.run(step, **_FREE | derived).code == 0
    trained.execute(_TO_TEXT)
    trained.run("15-feature_engineering.py", **terms)

    learnt = trained.run(_TRAIN, **_FREE | derived)

    assert learnt.errors() == [line("linear_features.x", "text", "numbers", version=2)]


def test_a_version_in_a_bucket_is_compared_with_too(trained: Steps, tmp_path: Path) -> None:
    with object_store() as server:
        in_bucket = _FREE | settings(server.new_place(), server.endpoint, tmp_path / "mirror")
        first = [trained.run(step, **in_bucket) for step in (_VALIDATE, _TRAIN, _EVALUATE)]
        trained.execute(_TO_TEXT)
        elsewhere = in_bucket | {"MODEL_DIR": str(tmp_path / "another mirror")}
        refused = trained.run(_VALIDATE, **elsewhere)

    assert [outcome.code for outcome in first] == [0, 0, 0], [outcome.errors() for outcome in first]
    assert refused.errors() == [line("linear_data.x", "text", "numbers")]
