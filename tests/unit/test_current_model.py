"""A server's current model: follows the link `current`, keeps the old model if the new one is damaged."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from mlstack.inference.current_model import CurrentModel
from mlstack.registry.store import ModelStore
from tests.harness.model_versions import line_table, promote, publish


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def _version(model: CurrentModel) -> int | None:
    found = model.get()
    return found.version if found else None


def test_there_is_no_model_until_one_is_promoted(store: ModelStore) -> None:
    model = CurrentModel(store)

    assert not model.refresh()
    assert model.get() is None
    assert "no version has been promoted yet" in str(model.refusal)

    promote(store, publish(store, line_table()))
    assert model.refresh()
    assert (_version(model), model.refusal) == (1, None)


def test_a_promotion_and_a_rollback_are_noticed_once_each(store: ModelStore) -> None:
    promote(store, publish(store, line_table()))
    model = CurrentModel(store)
    model.refresh()

    promote(store, publish(store, line_table(3.0)))

    assert [model.refresh(), model.refresh(), _version(model)] == [True, False, 2]
    store.rollback()
    assert [model.refresh(), model.refresh(), _version(model)] == [True, False, 1]


def test_a_refused_version_is_logged_once_and_the_old_one_answers(
    store: ModelStore, caplog: pytest.LogCaptureFixture
) -> None:
    promote(store, publish(store, line_table()))
    model = CurrentModel(store)
    model.refresh()
    second = publish(store, line_table(3.0))
    intact = (store.path(second) / "model.skops").read_bytes()
    (store.path(second) / "model.skops").write_bytes(intact[:100])
    promote(store, second)

    with caplog.at_level(logging.ERROR):
        changes = [model.refresh() for _ in range(3)]

    assert changes == [False, False, False]
    assert _version(model) == 1
    assert "SHA-256 differs" in str(model.refusal)
    assert [record.getMessage() for record in caplog.records] == ["model refused"]

    (store.path(second) / "model.skops").write_bytes(intact)
    assert model.refresh()
    assert (_version(model), model.refusal) == (2, None)


def test_a_volume_that_vanishes_leaves_the_loaded_model(store: ModelStore) -> None:
    promote(store, publish(store, line_table()))
    model = CurrentModel(store)
    model.refresh()

    shutil.rmtree(store.root)

    assert not model.refresh()
    assert _version(model) == 1
    assert model.refusal is not None


def test_a_volume_that_cannot_be_read_is_not_taken_for_an_empty_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file in the place of the folder: to read it fails for every user, root too."""
    (tmp_path / "models").write_text("")
    model = CurrentModel(ModelStore(tmp_path / "models"))

    model.refresh()
    model.refresh()

    assert "cannot be read" in str(model.refusal)
    assert [record.message for record in caplog.records] == ["model volume unreadable"]
