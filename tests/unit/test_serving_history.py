"""What was served is kept, and a rollback goes back along it."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from mlstack.models.__main__ import main
from mlstack.registry.atomic_files import replace_link
from mlstack.registry.history import FILE_NAME, Served
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import write_evaluation
from mlstack.runtime.refusals import StoreRefused
from tests.harness.model_versions import damage, line_table, promote, publish
from tests.unit.test_training_revision import FIRST_RELEASE


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def served(store: ModelStore, *slopes: float, features: int = 1) -> None:
    """Let the quality gate promote a version for each slope; one that was there before is promoted again."""
    for slope in slopes:
        promote(store, publish(store, line_table(slope, features=features)))


def versions(store: ModelStore) -> list[int]:
    return [entry.version for entry in store.history()]


def test_a_rollback_serves_what_was_served_before_whatever_its_number(store: ModelStore) -> None:
    """Versions 2 to 4 are of another table; then the demonstration is back, and retrained."""
    served(store, 2.0)
    served(store, 3.0, 4.0, 5.0, features=3)
    served(store, 2.0)
    served(store, 6.0)
    assert versions(store) == [1, 2, 3, 4, 1, 5]

    assert store.rollback() == 1

    assert store.current() == 1
    assert store.evaluation(5).verdict == "rolled back"


def test_another_rollback_goes_back_further_and_forward_again_by_promotion(store: ModelStore) -> None:
    served(store, 2.0, 3.0, 4.0)

    assert (store.rollback(), store.rollback()) == (2, 1)
    store.promote(3)
    assert store.rollback() == 1


def test_the_history_tells_when_by_whom_how_and_why(store: ModelStore) -> None:
    served(store, 2.0, 3.0, 4.0)
    store.rollback()
    store.promote(3)

    history = store.history()

    assert [(entry.version, entry.by, entry.command) for entry in history] == [
        (1, "quality gate", "model-evaluate"),
        (2, "quality gate", "model-evaluate"),
        (3, "quality gate", "model-evaluate"),
        (2, "person", "models rollback"),
        (3, "person", "models promote 3"),
    ]
    assert [entry.reason for entry in history[2:]] == [
        "passed the quality gate",
        "rolled back from version 3",
        "promoted by hand",
    ]
    assert all(entry.at.startswith("20") for entry in history)


def test_the_history_is_shown_in_order(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served(store, 2.0, 3.0)
    monkeypatch.setenv("MODEL_DIR", str(store.root))

    assert [main(["rollback"]), main(["history"])] == [0, 0]

    _, heading, *_, last = capsys.readouterr().out.splitlines()
    assert heading.split() == ["served", "from", "version", "by", "command", "reason"]
    assert last.split()[1:5] == ["1", "person", "models", "rollback"]


@pytest.mark.parametrize("command", [["rollback"], ["promote", "1"]])
def test_a_version_of_other_columns_is_served_by_force_only(
    store: ModelStore, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served(store, 2.0)
    served(store, 3.0, features=2)
    monkeypatch.setenv("MODEL_DIR", str(store.root))

    assert main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "version 1 predicts y from x1, but version 2, which is served, predicts y from x1, x2" in line
    assert store.current() == 2
    assert main([*command, "--force"]) == 0
    assert store.current() == 1


def test_from_a_damaged_version_any_other_may_be_served(store: ModelStore) -> None:
    served(store, 2.0)
    served(store, 3.0, features=2)
    damage(store, 2, "manifest.json", b"{")

    assert store.rollback() == 1


def test_damaged_and_rejected_versions_are_passed_over(store: ModelStore) -> None:
    served(store, 2.0, 3.0, 4.0, 5.0)
    damage(store, 3, "model.skops")
    store.reject(2, "worse")

    assert store.rollback() == 1


def test_what_a_rollback_needs_is_not_pruned(store: ModelStore) -> None:
    served(store, 2.0, 3.0, 4.0, 5.0)
    served(store, 2.0)

    assert store.prune(keep=1) == [2, 3]
    assert store.rollback() == 4


def test_a_version_that_was_deleted_is_passed_over(store: ModelStore) -> None:
    served(store, 2.0, 3.0, 4.0)
    shutil.rmtree(store.path(2))

    assert store.rollback() == 1


def test_a_volume_of_the_first_release_begins_its_history_with_its_verdicts(tmp_path: Path) -> None:
    shutil.copytree(FIRST_RELEASE, tmp_path / "models", symlinks=True)
    store = ModelStore(tmp_path / "models")
    replace_link(store.root / "current", "versions/1")
    before = store.evaluation(1)

    (first,) = store.history()
    served(store, 3.0)

    assert (first.version, first.at, first.reason) == (1, before.decided_at, before.reason)
    assert versions(store) == [1, 2]
    assert store.rollback(force=True) == 1


def test_without_a_history_the_order_is_that_of_the_verdicts(store: ModelStore) -> None:
    served(store, 2.0, 3.0, 4.0)
    for version, time in ((1, "2026-01-03"), (2, "2026-01-01"), (3, "2026-01-02")):
        evaluation = store.evaluation(version)
        write_evaluation(store.path(version), msgspec.structs.replace(evaluation, decided_at=time))
    replace_link(store.root / "current", "versions/1")
    (store.root / FILE_NAME).unlink()

    assert versions(store) == [2, 3, 1]
    assert store.rollback() == 3


def test_a_promotion_that_was_interrupted_before_the_link_counts_as_none(store: ModelStore) -> None:
    served(store, 2.0, 3.0)
    replace_link(store.root / "current", "versions/1")

    assert store.history()[-1].reason == "version 2 was not served: the command was interrupted"
    served(store, 4.0)
    assert versions(store) == [1, 2, 1, 3]
    assert store.rollback() == 1


def test_a_rollback_that_was_interrupted_before_the_link_can_be_repeated(store: ModelStore) -> None:
    served(store, 2.0, 3.0, 4.0)
    store.rollback()
    replace_link(store.root / "current", "versions/3")

    assert store.rollback() == 2
    assert store.rollback() == 1


def test_a_line_that_was_cut_short_spoils_no_other(store: ModelStore) -> None:
    served(store, 2.0, 3.0)
    path = store.root / FILE_NAME
    path.write_bytes(path.read_bytes() + b'{"version": 2, "at"')

    served(store, 4.0)

    assert versions(store) == [1, 2, 3]
    assert store.rollback() == 2


def test_what_an_older_release_served_is_noticed(store: ModelStore) -> None:
    served(store, 2.0, 3.0, 4.0, 5.0)
    replace_link(store.root / "current", "versions/1")

    assert store.history()[-1] == Served(version=1, reason="served by a release that keeps no history")
    served(store, 6.0)
    assert versions(store) == [1, 2, 3, 4, 1, 5]


def test_the_history_is_only_ever_added_to(store: ModelStore) -> None:
    path, before = store.root / FILE_NAME, b""
    served(store, 2.0)
    for step in (
        lambda: served(store, 3.0),
        store.rollback,
        lambda: store.promote(2),
        lambda: store.prune(1),
    ):
        step()
        assert path.read_bytes().startswith(before)
        before = path.read_bytes()
    assert len(before.splitlines()) == 4


def test_promoting_what_is_served_already_adds_nothing(store: ModelStore) -> None:
    served(store, 2.0)

    store.promote(1)

    assert versions(store) == [1]
    with pytest.raises(StoreRefused, match="none is left"):
        store.rollback()
