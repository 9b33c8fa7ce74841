"""A step that has nothing to do ends before it imports what takes long."""

from __future__ import annotations

import pytest

from tests.harness.processes.steps import Steps

_SLOW = {"sklearn", "scipy", "skops", "joblib", "jinja2", "leather"}
_COUNT_IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}  # Python then prints each module that it imports


@pytest.mark.parametrize(
    ("step", "event", "others"),
    [
        ("00-prepare_data.py", "nothing to do: the rows are already there", {"numpy"}),
        ("05-validate_data.py", "the data are valid", {"numpy"}),
        ("10-train_model.py", "nothing to do: this version is up to date", set()),
        ("20-evaluate_model.py", "nothing to do: the version is current", {"numpy"}),
    ],
)
def test_a_step_with_nothing_to_do_imports_no_scikit_learn(
    trained: Steps, step: str, event: str, others: set[str]
) -> None:
    outcome = trained.run(step, **_COUNT_IMPORTS)

    assert outcome.code == 0
    assert outcome.line(event)
    assert _imported(outcome.stderr) >= {"psycopg2" if step != "20-evaluate_model.py" else "msgspec"}
    assert not _imported(outcome.stderr) & (_SLOW | others)


def test_a_step_that_trains_imports_it_and_one_that_evaluates_a_line_does_not(steps: Steps) -> None:
    for step in ("00-prepare_data.py", "05-validate_data.py"):
        assert steps.run(step).code == 0

    trained = steps.run("10-train_model.py", **_COUNT_IMPORTS)
    evaluated = steps.run("20-evaluate_model.py", **_COUNT_IMPORTS)

    assert _imported(trained.stderr) >= {"sklearn", "skops"}
    assert evaluated.line("promoted")
    assert _imported(evaluated.stderr) >= {"numpy", "jinja2", "leather"}
    assert not _imported(evaluated.stderr) & (_SLOW - {"jinja2", "leather"})


def _imported(printed: str) -> set[str]:
    """Return the packages in the lines `import time: own | with what it imports | name`."""
    lines = [line for line in printed.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
