"""The model volume: only a version that passed the gate or that an operator chose is served."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import StoreRefused
from tests.harness.model_versions import line_table, promote, publish


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def test_an_empty_volume_has_nothing(store: ModelStore) -> None:
    assert store.versions() == []
    assert store.current() is None
    assert store.latest() is None
    with pytest.raises(StoreRefused, match="no version has been promoted yet"):
        store.rollback()


def test_rollback_goes_one_promoted_version_back_and_stays(store: ModelStore) -> None:
    for slope in (2.0, 3.0, 4.0):
        promote(store, publish(store, line_table(slope)))

    assert store.rollback() == 2
    assert store.evaluation(3).verdict == "rolled back"
    publish(store, line_table(4.0))
    assert store.evaluation(3).verdict == "rolled back"
    assert store.rollback() == 1
    with pytest.raises(StoreRefused, match="of the versions served before version 1 none is left"):
        store.rollback()


def test_a_rejected_version_is_promoted_by_force_only(store: ModelStore) -> None:
    promote(store, publish(store, line_table()))
    store.reject(publish(store, line_table(3.0)), "worse")

    with pytest.raises(StoreRefused, match="version 2 was rejected: worse; --force promotes it"):
        store.promote(2)
    assert store.current() == 1
    store.promote(2, force=True)
    assert store.current() == 2


def test_a_rejected_or_damaged_version_is_no_target_of_a_rollback(store: ModelStore) -> None:
    promote(store, publish(store, line_table()))
    store.reject(publish(store, line_table(3.0)), "worse")
    promote(store, publish(store, line_table(4.0)))

    assert store.rollback() == 1


@pytest.mark.parametrize("version", [0, 2, -1])
def test_an_unknown_version_is_not_promoted(store: ModelStore, version: int) -> None:
    publish(store, line_table())

    with pytest.raises(StoreRefused, match=f"there is no version {version}"):
        store.promote(version)


def test_prune_keeps_the_newest_the_current_and_the_latest(store: ModelStore) -> None:
    for slope in range(2, 8):
        promote(store, publish(store, line_table(float(slope))))
    store.promote(2)
    publish(store, line_table(4.0))

    assert store.prune(keep=1) == [1, 4, 5]
    assert store.versions() == [2, 3, 6]
    with pytest.raises(StoreRefused, match="at least 1"):
        store.prune(keep=0)


def test_data_that_come_back_bring_their_version_back_to_the_gate(store: ModelStore) -> None:
    promote(store, publish(store, line_table()))
    promote(store, publish(store, line_table(3.0)))

    assert publish(store, line_table()) == 1
    assert store.latest() == 1
    assert store.evaluation(1).verdict == "candidate"


def test_a_damaged_decision_counts_as_none(store: ModelStore) -> None:
    version = promote(store, publish(store, line_table()))
    (store.path(version) / "evaluation.json").write_bytes(msgspec.json.encode({"verdict": "perhaps"}))

    assert store.evaluation(version).verdict == "candidate"


def test_a_promotion_cut_off_halfway_is_judged_again(store: ModelStore) -> None:
    version = publish(store, line_table())
    (store.path(version) / "evaluation.json").unlink(missing_ok=True)
    (store.path(version) / "evaluation.json").mkdir()  # so that writing the decision fails

    with pytest.raises(StoreRefused):
        promote(store, version)

    assert store.current() == version
    assert store.evaluation(version).verdict == "candidate"
